export type PhotoType = 'image/jpeg' | 'image/png' | 'image/webp';

/** A photo as it may be sent to a provider: nothing in it but the picture. */
export interface Photo {
  readonly type: PhotoType;
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}

/** Result of one format's reader: size and picture. Readers return undefined for damaged bytes. */
export type PhotoFormat = Omit<Photo, 'type'>;

export type PhotoOutcome =
  | { readonly ok: true; readonly photo: Photo }
  | { readonly ok: false; readonly reason: PhotoFault };

export type PhotoFault = 'no_image' | 'damaged' | 'too_many_pixels' | 'too_slow';
