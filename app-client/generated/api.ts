// Generated from docs/openapi.json by `npm run docs`; a test fails when it is stale.
import type { Call, CallOptions } from '../operation.ts';

/** Answer of `GET /getProfile`. */
export type GetProfileAnswer = {
  readonly uid: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly displayName: string | null;
  readonly photoURL: string | null;
  readonly createdAt: string | null;
  readonly lastSignInAt: string | null;
  readonly profile: {
    readonly displayName?: string | undefined;
    readonly photoURL?: string | undefined;
    readonly language?: string | undefined;
    readonly unitSystem?: string | undefined;
    readonly theme?: string | undefined;
    readonly notificationsEnabled?: boolean | undefined;
    readonly phone?: string | undefined;
    readonly company?: string | undefined;
    readonly country?: string | undefined;
    readonly updatedAt?: string | undefined;
  };
  readonly updatedAt: string | null;
};

/** Input of `POST /updateProfile`. */
export type UpdateProfileInput = {
  readonly profile: {
    readonly displayName?: string | undefined;
    readonly photoURL?: string | undefined;
    readonly language?: string | undefined;
    readonly unitSystem?: string | undefined;
    readonly theme?: string | undefined;
    readonly notificationsEnabled?: boolean | undefined;
    readonly phone?: string | undefined;
    readonly company?: string | undefined;
    readonly country?: string | undefined;
  };
};

/** Answer of `POST /updateProfile`. */
export type UpdateProfileAnswer = {
  readonly uid: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly displayName: string | null;
  readonly photoURL: string | null;
  readonly createdAt: string | null;
  readonly lastSignInAt: string | null;
  readonly profile: {
    readonly displayName?: string | undefined;
    readonly photoURL?: string | undefined;
    readonly language?: string | undefined;
    readonly unitSystem?: string | undefined;
    readonly theme?: string | undefined;
    readonly notificationsEnabled?: boolean | undefined;
    readonly phone?: string | undefined;
    readonly company?: string | undefined;
    readonly country?: string | undefined;
    readonly updatedAt?: string | undefined;
  };
  readonly updatedAt: string;
  readonly ok: true;
};

/** Answer of `GET /getUserState`. */
export type GetUserStateAnswer = {
  readonly uid: string;
  readonly state: Readonly<Record<string, unknown>> | null;
  readonly updatedAt: string | null;
  readonly version: string | null;
  readonly docVersion: number;
};

/** Input of `POST /saveUserState`. */
export type SaveUserStateInput = {
  readonly state: Readonly<Record<string, unknown>>;
  readonly version?: string | undefined;
  readonly baseDocVersion?: number | undefined;
};

/** Answer of `POST /saveUserState`. */
export type SaveUserStateAnswer = {
  readonly ok: true;
  readonly bytes: number;
  readonly version: string | null;
  readonly updatedAt: string;
  readonly docVersion: number;
};

/** Input of `POST /deleteMyAccount`. */
export type DeleteMyAccountInput = { readonly confirmText: 'DELETE' };

/** Answer of `POST /deleteMyAccount`. */
export type DeleteMyAccountAnswer = { readonly ok: true; readonly deleted: true };

/** Answer of `GET /exportMyData`. */
export type ExportMyDataAnswer = {
  readonly exportedAt: string;
  readonly uid: string;
  readonly login: {
    readonly email: string | null;
    readonly emailVerified: boolean;
    readonly name: string | null;
    readonly picture: string | null;
    readonly createdAt: string | null;
  };
  readonly profile: {
    readonly displayName?: string | undefined;
    readonly photoURL?: string | undefined;
    readonly language?: string | undefined;
    readonly unitSystem?: string | undefined;
    readonly theme?: string | undefined;
    readonly notificationsEnabled?: boolean | undefined;
    readonly phone?: string | undefined;
    readonly company?: string | undefined;
    readonly country?: string | undefined;
    readonly updatedAt?: string | undefined;
  };
  readonly lastActiveOn: string | null;
  readonly state: {
    readonly state: Readonly<Record<string, unknown>>;
    readonly version: string | null;
    readonly updatedAt: string;
    readonly docVersion: number;
  } | null;
  readonly devices: ReadonlyArray<{
    readonly serial: string;
    readonly hwId: string;
    readonly thingName: string;
    readonly status: string;
    readonly claimedAt: string;
    readonly name?: string | undefined;
    readonly settings?: Readonly<Record<string, string | number | boolean>> | undefined;
  }>;
  readonly formerDevices: ReadonlyArray<{
    readonly serial: string;
    readonly hwId: string;
    readonly revokedAt: string;
    readonly name?: string | undefined;
    readonly settings?: Readonly<Record<string, string | number | boolean>> | undefined;
  }>;
  readonly deviceHistory: ReadonlyArray<{
    readonly hwId: string;
    readonly action: string;
    readonly timestamp: string;
    readonly byUser: boolean;
  }>;
  readonly usage: ReadonlyArray<{ readonly feature: string; readonly month: string; readonly used: number }>;
  readonly billing: {
    readonly stripeCustomerId: string | null;
    readonly formerStripeCustomerIds: ReadonlyArray<string>;
    readonly subscription: {
      readonly subscriptionId: string;
      readonly customerId: string;
      readonly status: string;
      readonly plan: string;
      readonly currentPeriodEnd: string | null;
      readonly cancelAtPeriodEnd: boolean;
    } | null;
    readonly trialUsedAt: string | null;
    readonly confirmedByStripeAt: string | null;
  };
  readonly relay: {
    readonly peers: ReadonlyArray<{
      readonly peerId: string;
      readonly name: string;
      readonly type: string;
      readonly publicKey: string;
      readonly status: string;
      readonly createdAt: string;
      readonly lastSeenAt: string | null;
      readonly revokedAt: string | null;
    }>;
    readonly streams: ReadonlyArray<{
      readonly stream: string;
      readonly epoch: string;
      readonly head: number;
      readonly retentionDays: number;
      readonly createdAt: string;
      readonly readUpTo: ReadonlyArray<{ readonly peerId: string; readonly epoch: string; readonly seq: number }>;
      readonly events: ReadonlyArray<Readonly<Record<string, unknown>>>;
      readonly complete: boolean;
    }>;
  };
  readonly telemetry: {
    readonly timeZones: ReadonlyArray<{ readonly since: string; readonly zone: string }>;
    readonly devices: ReadonlyArray<{
      readonly serial: string;
      readonly hwId: string;
      readonly lastHeardAt: string;
      readonly runs: ReadonlyArray<Readonly<Record<string, unknown>>>;
      readonly watchedSessions: ReadonlyArray<Readonly<Record<string, unknown>>>;
      readonly rows: ReadonlyArray<{
        readonly kind: string;
        readonly at: string;
        readonly readAt: string;
        readonly clockLost: boolean;
        readonly values: Readonly<Record<string, unknown>>;
      }>;
      readonly readings: ReadonlyArray<{ readonly kind: string; readonly readAt: string; readonly bytes: string }>;
      readonly complete: boolean;
    }>;
  };
  readonly commands: {
    readonly limits: Readonly<Record<string, number>>;
    readonly devices: ReadonlyArray<{
      readonly serial: string;
      readonly commands: ReadonlyArray<{
        readonly commandId: string;
        readonly commandKey: string;
        readonly intent: Readonly<Record<string, unknown>>;
        readonly state: string;
        readonly reason: string | null;
        readonly createdAt: string;
        readonly expiresAt: string;
        readonly endedAt: string | null;
        readonly audit: ReadonlyArray<{ readonly at: string; readonly step: string; readonly by: string }>;
      }>;
      readonly complete: boolean;
    }>;
  };
  readonly notifications: {
    readonly preferences: Readonly<Record<string, unknown>>;
    readonly readUntil: string | null;
    readonly subscriptions: ReadonlyArray<{
      readonly type: string;
      readonly service: string;
      readonly createdAt: string;
    }>;
    readonly messages: ReadonlyArray<{
      readonly messageId: string;
      readonly kind: string;
      readonly topic: string;
      readonly severity: string;
      readonly serial: string | null;
      readonly facts: Readonly<Record<string, unknown>>;
      readonly at: string;
      readonly storedAt: string;
      readonly readAt: string | null;
    }>;
    readonly complete: boolean;
  };
};

/** Answer of `GET /subscriptionStatus`. */
export type SubscriptionStatusAnswer = {
  readonly uid: string;
  readonly isPremium: boolean;
  readonly status: string;
  readonly plan: string | null;
  readonly currentPeriodEnd: string | null;
  readonly cancelAtPeriodEnd: boolean;
  readonly trialUsed: boolean;
  readonly source: 'stripe' | 'snapshot' | 'stripe_recovered_email';
  readonly stale?: true | undefined;
  readonly snapshotAgeSeconds?: number | null | undefined;
};

/** Input of `POST /createSubscriptionCheckout`. */
export type CreateSubscriptionCheckoutInput = {
  readonly successUrl?: string | undefined;
  readonly cancelUrl?: string | undefined;
};

/** Answer of `POST /createSubscriptionCheckout`. */
export type CreateSubscriptionCheckoutAnswer = { readonly url: string; readonly sessionId: string };

/** Input of `POST /createBillingPortalSession`. */
export type CreateBillingPortalSessionInput = { readonly returnUrl?: string | undefined };

/** Answer of `POST /createBillingPortalSession`. */
export type CreateBillingPortalSessionAnswer = { readonly url: string };

/** Input of `POST /aiDoctor`. */
export type AiDoctorInput = {
  /** JPEG, PNG or WebP, 4 MiB at most */ readonly image?: Blob | undefined;
  readonly upload_id?: string | undefined;
  readonly latitude?: string | undefined;
  readonly longitude?: string | undefined;
  readonly symptoms?: string | undefined;
  readonly language?: string | undefined;
};

/** Answer of `POST /aiDoctor`. */
export type AiDoctorAnswer = {
  readonly access_token: string | null;
  readonly is_healthy: boolean | null;
  readonly degraded?: true | undefined;
  readonly provider: 'kindwise' | 'plantnet';
  readonly llm_advice: string | null;
  readonly result: {
    readonly classification: {
      readonly suggestions: ReadonlyArray<{
        readonly name: string;
        readonly probability: number;
        readonly [field: string]: unknown;
      }>;
      readonly [field: string]: unknown;
    };
    readonly disease: {
      readonly suggestions: ReadonlyArray<{
        readonly name: string;
        readonly probability: number;
        readonly [field: string]: unknown;
      }>;
      readonly question?: unknown;
      readonly [field: string]: unknown;
    };
    readonly [field: string]: unknown;
  };
  readonly proxy_timestamp: string;
  readonly [field: string]: unknown;
};

/** Input of `POST /plantId`. */
export type PlantIdInput = {
  /** JPEG, PNG or WebP, 4 MiB at most */ readonly image?: Blob | undefined;
  readonly upload_id?: string | undefined;
  readonly latitude?: string | undefined;
  readonly longitude?: string | undefined;
};

/** Answer of `POST /plantId`. */
export type PlantIdAnswer = {
  readonly provider: 'kindwise' | 'plantnet';
  readonly suggestions: ReadonlyArray<{
    readonly scientific_name: string;
    readonly canonical_name?: string | undefined;
    readonly gbif_key?: string | undefined;
    readonly probability: number;
  }>;
  readonly best_match: {
    readonly scientific_name: string;
    readonly canonical_name?: string | undefined;
    readonly gbif_key?: string | undefined;
    readonly probability: number;
  } | null;
  readonly proxy_timestamp: string;
};

/** Input of `POST /aiDoctor/followUp`. */
export type AiDoctorFollowUpInput = { readonly access_token: string; readonly question: string };

/** Answer of `POST /aiDoctor/followUp`. */
export type AiDoctorFollowUpAnswer = {
  readonly provider: 'kindwise';
  readonly answer: string;
  readonly remaining_calls: number | null;
  readonly proxy_timestamp: string;
};

/** Input of `POST /uploads/image`. */
export type UploadsImageInput = { readonly size_bytes: number; readonly sha256: string };

/** Answer of `POST /uploads/image`. */
export type UploadsImageAnswer = {
  readonly upload_id: string;
  readonly upload_url: string;
  readonly upload_headers: Readonly<Record<string, string>>;
  readonly upload_expires_in: number;
};

/** Answer of `GET /usage`. */
export type UsageAnswer = {
  readonly aiDoctor: {
    readonly dayCount: number;
    readonly dayLimit: number;
    readonly monthCount: number;
    readonly monthLimit: number;
    readonly resetsAt: string;
  };
  readonly aiDoctorFollowUp: {
    readonly dayCount: number;
    readonly dayLimit: number;
    readonly monthCount: number;
    readonly monthLimit: number;
    readonly resetsAt: string;
  };
  readonly plantId: {
    readonly dayCount: number;
    readonly dayLimit: number;
    readonly monthCount: number;
    readonly monthLimit: number;
    readonly resetsAt: string;
  };
};

/** Answer of `GET /aiDoctorHealth`. */
export type AiDoctorHealthAnswer = {
  readonly ok: boolean;
  readonly status: 'healthy' | 'degraded';
  readonly service: 'aiDoctor' | 'plantId';
  readonly time: string;
  readonly provider: {
    readonly name: string;
    readonly configured: boolean;
    readonly state: 'closed' | 'half_open' | 'open';
    readonly lastSuccessAt: string | null;
    readonly lastFailureAt: string | null;
    readonly lastTrouble: string | null;
    readonly fallback: {
      readonly name: string;
      readonly configured: boolean;
      readonly state: 'closed' | 'half_open' | 'open';
      readonly lastSuccessAt: string | null;
      readonly lastFailureAt: string | null;
      readonly lastTrouble: string | null;
    };
  };
};

/** Answer of `GET /plantIdHealth`. */
export type PlantIdHealthAnswer = {
  readonly ok: boolean;
  readonly status: 'healthy' | 'degraded';
  readonly service: 'aiDoctor' | 'plantId';
  readonly time: string;
  readonly provider: {
    readonly name: string;
    readonly configured: boolean;
    readonly state: 'closed' | 'half_open' | 'open';
    readonly lastSuccessAt: string | null;
    readonly lastFailureAt: string | null;
    readonly lastTrouble: string | null;
    readonly fallback: {
      readonly name: string;
      readonly configured: boolean;
      readonly state: 'closed' | 'half_open' | 'open';
      readonly lastSuccessAt: string | null;
      readonly lastFailureAt: string | null;
      readonly lastTrouble: string | null;
    };
  };
};

/** Input of `POST /claimChallenge`. */
export type ClaimChallengeInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
};

/** Answer of `POST /claimChallenge`. */
export type ClaimChallengeAnswer = {
  readonly ok: true;
  readonly serial: string;
  readonly nonce: string;
  readonly expires_at: string;
};

/** Input of `POST /claimDevice`. */
export type ClaimDeviceInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  readonly claim_code?: string | undefined;
  readonly proof?: { readonly nonce: string; readonly signature: string } | undefined;
};

/** Answer of `POST /claimDevice`. */
export type ClaimDeviceAnswer = {
  readonly ok: true;
  readonly claimed: true;
  readonly serial: string;
  readonly hw_id: string;
  readonly thing_name: string;
  readonly owner_uid: string;
  readonly claimed_at: string;
  readonly already_owned: boolean;
};

/** Input of `GET /myDevices`. */
export type MyDevicesInput = { readonly limit?: string | undefined; readonly cursor?: string | undefined };

/** Answer of `GET /myDevices`. */
export type MyDevicesAnswer = {
  readonly ok: true;
  readonly owner_uid: string;
  readonly count: number;
  readonly devices: ReadonlyArray<{
    readonly serial: string;
    readonly hw_id: string;
    readonly thing_name: string;
    readonly status: 'factory_only' | 'active' | 'revoked';
    readonly claimed_at: string;
    readonly name?: string | undefined;
    readonly settings?: Readonly<Record<string, string | number | boolean>> | undefined;
  }>;
  readonly next_cursor?: string | undefined;
};

/** Input of `POST /updateDevice`. */
export type UpdateDeviceInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  readonly name?: string | undefined;
  readonly settings?: Readonly<Record<string, string | number | boolean>> | undefined;
};

/** Answer of `POST /updateDevice`. */
export type UpdateDeviceAnswer = {
  readonly ok: true;
  readonly serial: string;
  readonly hw_id: string;
  readonly name?: string | undefined;
  readonly settings?: Readonly<Record<string, string | number | boolean>> | undefined;
};

/** Input of `POST /unclaimDevice`. */
export type UnclaimDeviceInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  readonly reason?: string | undefined;
};

/** Answer of `POST /unclaimDevice`. */
export type UnclaimDeviceAnswer = {
  readonly ok: true;
  readonly unclaimed: true;
  readonly serial: string;
  readonly hw_id: string;
};

/** Input of `POST /transferDevice`. */
export type TransferDeviceInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  readonly transfer_code?: string | undefined;
  readonly cancel?: true | undefined;
};

/** Answer of `POST /transferDevice`. */
export type TransferDeviceAnswer = {
  readonly ok: true;
  readonly state: 'offered' | 'cancelled' | 'transferred';
  readonly serial: string;
  readonly hw_id: string;
  readonly transfer_code?: string | undefined;
  readonly expires_at?: string | undefined;
  readonly owner_uid?: string | undefined;
  readonly claimed_at?: string | undefined;
  readonly already_owned?: boolean | undefined;
};

/** Input of `POST /reconcileDevices`. */
export type ReconcileDevicesInput = {
  readonly devices: ReadonlyArray<{
    /** Six digits, as printed on the device */ readonly serial?: string | undefined;
    readonly hw_id?: string | undefined;
    /** As the device reports it: 1, 1.0, v1.2.3, 1.0.0+7 or 1.0.0.1. Missing parts are 0, a fourth is build metadata. Anything else counts as unknown and is listed in `not_understood`. */
    readonly firmware_version?: string | undefined;
  }>;
};

/** Answer of `POST /reconcileDevices`. */
export type ReconcileDevicesAnswer = {
  readonly ok: true;
  readonly count: number;
  readonly devices: ReadonlyArray<{
    readonly serial?: string | undefined;
    readonly hw_id?: string | undefined;
    readonly thing_name?: string | undefined;
    readonly status: 'owned' | 'claimable' | 'claimed_by_other' | 'unknown_serial' | 'revoked' | 'factory_only';
    readonly suggested_action: 'none' | 'claim' | 'ask_owner' | 'check_label' | 'contact_support' | 'come_closer';
    readonly not_understood?: ReadonlyArray<'firmware_version'> | undefined;
  }>;
  readonly not_seen: ReadonlyArray<{
    readonly serial: string;
    readonly hw_id: string;
    readonly thing_name: string;
    readonly suggested_action: 'none' | 'claim' | 'ask_owner' | 'check_label' | 'contact_support' | 'come_closer';
  }>;
};

/** Input of `GET /ota/latest`. */
export type OtaLatestInput = {
  readonly board?: string | undefined;
  readonly channel?: string | undefined;
  /** Six digits, as printed on the device */
  readonly serial?: string | undefined;
  readonly hw_id?: string | undefined;
  /** As the device reports it: 1, 1.0, v1.2.3, 1.0.0+7 or 1.0.0.1. Missing parts are 0, a fourth is build metadata. Anything else counts as unknown and is listed in `not_understood`. */
  readonly current_version?: string | undefined;
  /** As the device reports it: 1, 1.0, v1.2.3, 1.0.0+7 or 1.0.0.1. Missing parts are 0, a fourth is build metadata. Anything else counts as unknown and is listed in `not_understood`. */
  readonly bootloader_version?: string | undefined;
};

/** Answer of `GET /ota/latest`. */
export type OtaLatestAnswer = {
  readonly ok: true;
  readonly update_available: boolean;
  readonly latest: {
    readonly version: string;
    readonly channel: string;
    readonly mandatory: boolean;
    readonly artifact: {
      readonly name: string;
      readonly size_bytes: number;
      readonly sha256: string;
      readonly image_hash: string | null;
    };
    readonly download: { readonly url: string; readonly expires_at: string };
    readonly notes: string;
  } | null;
  readonly reason:
    | 'offered'
    | 'up_to_date'
    | 'not_in_rollout'
    | 'paused'
    | 'needs_intermediate'
    | 'bootloader_too_old'
    | 'device_revoked'
    | 'no_release'
    | 'failed_too_often';
  readonly not_understood?: ReadonlyArray<'current_version' | 'bootloader_version'> | undefined;
  readonly withheld?:
    | {
        readonly version: string;
        readonly reason:
          | 'offered'
          | 'up_to_date'
          | 'not_in_rollout'
          | 'paused'
          | 'needs_intermediate'
          | 'bootloader_too_old'
          | 'device_revoked'
          | 'no_release'
          | 'failed_too_often';
      }
    | undefined;
  readonly blocked_until?: string | undefined;
  readonly offer_expires_at?: string | undefined;
  readonly receipt_nonce?: string | undefined;
  readonly signed?:
    | {
        readonly payload: string;
        readonly signatures: ReadonlyArray<{ readonly key_id: string; readonly value: string }>;
      }
    | undefined;
};

/** Input of `GET /ota/releases/{version}/download-url`. */
export type OtaReleasesDownloadUrlInput = {
  /** Semantic version; a leading v and build metadata are dropped */ readonly version: string;
  readonly board?: string | undefined;
  readonly channel?: string | undefined;
  /** Six digits, as printed on the device */
  readonly serial?: string | undefined;
  readonly hw_id?: string | undefined;
};

/** Answer of `GET /ota/releases/{version}/download-url`. */
export type OtaReleasesDownloadUrlAnswer = {
  readonly ok: true;
  readonly version: string;
  readonly url: string;
  readonly download: { readonly url: string; readonly expires_at: string };
};

/** Input of `POST /ota/reports`. */
export type OtaReportsInput =
  | {
      readonly reports: ReadonlyArray<{
        readonly board?: string | undefined;
        readonly channel?: string | undefined;
        /** Six digits, as printed on the device */
        readonly serial?: string | undefined;
        readonly hw_id?: string | undefined;
        readonly attempt_id: string;
        /** As the device reports it: 1, 1.0, v1.2.3, 1.0.0+7 or 1.0.0.1. Missing parts are 0, a fourth is build metadata. Anything else counts as unknown and is listed in `not_understood`. */
        readonly from_version?: string | undefined;
        /** As the device reports it: 1, 1.0, v1.2.3, 1.0.0+7 or 1.0.0.1. Missing parts are 0, a fourth is build metadata. Anything else counts as unknown and is listed in `not_understood`. */
        readonly version: string;
        readonly status: 'offered' | 'on_phone' | 'uploading' | 'testing' | 'confirmed' | 'reverted' | 'failed';
        readonly offset?: number | undefined;
        readonly error_code?: string | undefined;
        readonly phone?:
          | {
              readonly model?: string | undefined;
              readonly os?: string | undefined;
              readonly app_version?: string | undefined;
            }
          | undefined;
        readonly receipt?:
          | {
              readonly nonce: string;
              readonly image_hash: string;
              readonly slots: ReadonlyArray<{
                readonly slot: number;
                readonly hash: string | '';
                readonly active: boolean;
                readonly confirmed: boolean;
                readonly pending: boolean;
              }>;
              readonly signature: string;
            }
          | undefined;
      }>;
    }
  | {
      readonly board?: string | undefined;
      readonly channel?: string | undefined;
      /** Six digits, as printed on the device */
      readonly serial?: string | undefined;
      readonly hw_id?: string | undefined;
      readonly attempt_id: string;
      /** As the device reports it: 1, 1.0, v1.2.3, 1.0.0+7 or 1.0.0.1. Missing parts are 0, a fourth is build metadata. Anything else counts as unknown and is listed in `not_understood`. */
      readonly from_version?: string | undefined;
      /** As the device reports it: 1, 1.0, v1.2.3, 1.0.0+7 or 1.0.0.1. Missing parts are 0, a fourth is build metadata. Anything else counts as unknown and is listed in `not_understood`. */
      readonly version: string;
      readonly status: 'offered' | 'on_phone' | 'uploading' | 'testing' | 'confirmed' | 'reverted' | 'failed';
      readonly offset?: number | undefined;
      readonly error_code?: string | undefined;
      readonly phone?:
        | {
            readonly model?: string | undefined;
            readonly os?: string | undefined;
            readonly app_version?: string | undefined;
          }
        | undefined;
      readonly receipt?:
        | {
            readonly nonce: string;
            readonly image_hash: string;
            readonly slots: ReadonlyArray<{
              readonly slot: number;
              readonly hash: string | '';
              readonly active: boolean;
              readonly confirmed: boolean;
              readonly pending: boolean;
            }>;
            readonly signature: string;
          }
        | undefined;
    };

/** Answer of `POST /ota/reports`. */
export type OtaReportsAnswer = {
  readonly ok: true;
  readonly recorded: number;
  readonly repeated: number;
  readonly results: ReadonlyArray<{
    readonly attempt_id: string;
    readonly version: string;
    readonly status: 'offered' | 'on_phone' | 'uploading' | 'testing' | 'confirmed' | 'reverted' | 'failed';
    readonly outcome: 'recorded' | 'repeated' | 'not_owned' | 'release_not_found';
    readonly verified: boolean;
    readonly receipt?: string | undefined;
    readonly not_understood?: ReadonlyArray<'version' | 'from_version'> | undefined;
  }>;
};

/** Input of `POST /ota/lease`. */
export type OtaLeaseInput = {
  /** Six digits, as printed on the device */ readonly serial?: string | undefined;
  readonly hw_id?: string | undefined;
  readonly phone_id: string;
  readonly release?: true | undefined;
};

/** Answer of `POST /ota/lease`. */
export type OtaLeaseAnswer = {
  readonly ok: true;
  readonly held: boolean;
  readonly hw_id: string;
  readonly expires_at: string | null;
};

/** Answer of `GET /ota/signing-keys`. */
export type OtaSigningKeysAnswer = {
  readonly ok: true;
  readonly keys: ReadonlyArray<{ readonly key_id: string; readonly algorithm: 'ed25519'; readonly public_key: string }>;
};

/** Input of `POST /relay/peers`. */
export type PostRelayPeersInput = {
  readonly name: string;
  readonly type: 'phone' | 'tablet' | 'desktop' | 'hub' | 'service';
  readonly public_key: string;
  readonly time: number;
  readonly proof: string;
};

/** Answer of `POST /relay/peers`. */
export type PostRelayPeersAnswer = {
  readonly ok: true;
  readonly peer: {
    readonly peer_id: string;
    readonly name: string;
    readonly type: 'phone' | 'tablet' | 'desktop' | 'hub' | 'service';
    readonly public_key: string;
    readonly status: 'active' | 'revoked';
    readonly created_at: number;
    readonly last_seen_at: number | null;
    readonly revoked_at?: number | undefined;
  };
  readonly relay_url: string | null;
};

/** Input of `GET /relay/peers`. */
export type GetRelayPeersInput = { readonly revoked?: 'true' | 'false' | undefined };

/** Answer of `GET /relay/peers`. */
export type GetRelayPeersAnswer = {
  readonly ok: true;
  readonly peers: ReadonlyArray<{
    readonly peer_id: string;
    readonly name: string;
    readonly type: 'phone' | 'tablet' | 'desktop' | 'hub' | 'service';
    readonly public_key: string;
    readonly status: 'active' | 'revoked';
    readonly created_at: number;
    readonly last_seen_at: number | null;
    readonly revoked_at?: number | undefined;
    readonly online: boolean;
    readonly cursors: ReadonlyArray<{ readonly stream: string; readonly epoch: string; readonly seq: number }>;
  }>;
  readonly relay_url: string | null;
};

/** Input of `POST /relay/peers/{peer_id}`. */
export type PostRelayPeersByPeerIdInput = { readonly peer_id: string; readonly name: string };

/** Answer of `POST /relay/peers/{peer_id}`. */
export type PostRelayPeersByPeerIdAnswer = {
  readonly ok: true;
  readonly peer: {
    readonly peer_id: string;
    readonly name: string;
    readonly type: 'phone' | 'tablet' | 'desktop' | 'hub' | 'service';
    readonly public_key: string;
    readonly status: 'active' | 'revoked';
    readonly created_at: number;
    readonly last_seen_at: number | null;
    readonly revoked_at?: number | undefined;
  };
};

/** Input of `POST /relay/peers/{peer_id}/revoke`. */
export type RelayPeersRevokeInput = { readonly peer_id: string };

/** Answer of `POST /relay/peers/{peer_id}/revoke`. */
export type RelayPeersRevokeAnswer = {
  readonly ok: true;
  readonly peer: {
    readonly peer_id: string;
    readonly name: string;
    readonly type: 'phone' | 'tablet' | 'desktop' | 'hub' | 'service';
    readonly public_key: string;
    readonly status: 'active' | 'revoked';
    readonly created_at: number;
    readonly last_seen_at: number | null;
    readonly revoked_at?: number | undefined;
  };
};

/** Answer of `GET /.well-known/jwks.json`. */
export type WellKnownJwksJsonAnswer = {
  readonly keys: ReadonlyArray<{
    readonly kty: 'OKP';
    readonly crv: 'Ed25519';
    readonly use: 'sig';
    readonly alg: 'EdDSA';
    readonly kid: string;
    readonly x: string;
  }>;
};

/** Answer of `GET /relay/streams`. */
export type GetRelayStreamsAnswer = {
  readonly ok: true;
  readonly streams: ReadonlyArray<{
    readonly stream: string;
    readonly epoch: string;
    readonly head: number;
    readonly bytes: number;
    readonly retention_days: number;
    readonly created_at: number;
  }>;
};

/** Input of `POST /relay/streams/{stream}`. */
export type PostRelayStreamsByStreamInput = { readonly stream: string; readonly retention_days: number };

/** Answer of `POST /relay/streams/{stream}`. */
export type PostRelayStreamsByStreamAnswer = {
  readonly ok: true;
  readonly stream: {
    readonly stream: string;
    readonly epoch: string;
    readonly head: number;
    readonly bytes: number;
    readonly retention_days: number;
    readonly created_at: number;
  };
};

/** Input of `POST /relay/streams/{stream}/delete`. */
export type RelayStreamsDeleteInput = { readonly stream: string };

/** Answer of `POST /relay/streams/{stream}/delete`. */
export type RelayStreamsDeleteAnswer = { readonly ok: true; readonly deleted: true; readonly complete: boolean };

/** Input of `GET /relay/streams/{stream}/events`. */
export type GetRelayStreamsByStreamEventsInput = {
  readonly stream: string;
  readonly epoch?: string | undefined;
  readonly after?: string | undefined;
  readonly limit?: string | undefined;
  readonly continuation?: string | undefined;
};

/** Answer of `GET /relay/streams/{stream}/events`. */
export type GetRelayStreamsByStreamEventsAnswer = {
  readonly ok: true;
  readonly stream: string;
  readonly epoch: string;
  readonly head: number;
  readonly events: ReadonlyArray<{
    readonly seq: number;
    readonly event_id: string;
    readonly type: string;
    readonly payload: unknown;
    readonly sent_at: number;
    readonly key?: string | undefined;
    readonly peer_id: string;
    readonly client_seq: number;
    readonly received_at: number;
    readonly expires_at?: number | undefined;
  }>;
  readonly continuation?: string | undefined;
};

/** Input of `POST /relay/streams/{stream}/events`. */
export type PostRelayStreamsByStreamEventsInput = {
  readonly stream: string;
  readonly client_seq: number;
  readonly events: ReadonlyArray<{
    /** Random, chosen by the author */ readonly event_id: string;
    /** What kind of event it is, for the application */
    readonly type: string;
    /** Any JSON of up to 16 KiB */
    readonly payload: unknown;
    /** The author's clock when it was sent: milliseconds since 1970 */
    readonly sent_at: number;
    /** What the event is about, such as a zone */
    readonly key?: string | undefined;
    /** The event expires this long after the server's receipt */
    readonly ttl_seconds?: number | undefined;
  }>;
  readonly if_seq?: number | undefined;
};

/** Answer of `POST /relay/streams/{stream}/events`. */
export type PostRelayStreamsByStreamEventsAnswer = {
  readonly ok: true;
  readonly epoch: string;
  readonly events: ReadonlyArray<{ readonly event_id: string; readonly seq: number }>;
  readonly time: number;
};

/** Input of `POST /telemetry`. */
export type TelemetryInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  /** By the phone’s clock, when it sends this: tells how far that clock is off */
  readonly sent_at: number;
  readonly phone_session?: string | undefined;
  readonly time_zone?: string | undefined;
  readonly uptime?:
    | { readonly uptime_ms: number; readonly source: 'diagnostics' | 'environment'; readonly read_at: number }
    | undefined;
  readonly reads?:
    | ReadonlyArray<{
        readonly kind: 'watering' | 'rain_hourly' | 'rain_daily' | 'environment_hourly' | 'environment_daily';
        /** Which channel’s ring was read; only for `watering` */
        readonly channel?: number | undefined;
        readonly read_at: number;
        /** From when on the device was asked for rows. Without it the first row counts as the beginning. */
        readonly from_at?: number | undefined;
        /** The rows as read over BLE, one after the other, without headers and echoed queries; in base64 */
        readonly rows: string;
      }>
    | undefined;
  readonly readings?:
    | ReadonlyArray<{
        readonly kind:
          | 'status'
          | 'hydraulic'
          | 'diagnostics'
          | 'environment'
          | 'rain'
          | 'task'
          | 'flow'
          | 'valve'
          | 'alarm';
        readonly read_at: number;
        readonly uptime_ms?: number | undefined;
        readonly bytes: string;
      }>
    | undefined;
  readonly sessions?:
    | ReadonlyArray<{
        readonly session_id: string;
        readonly channel: number;
        readonly started_at: number;
        readonly saw_start: boolean;
        readonly ended_at: number;
        readonly ended: 'completed' | 'stopped' | 'interrupted' | 'lost_sight';
        readonly millilitres?: number | null | undefined;
      }>
    | undefined;
};

/** Answer of `POST /telemetry`. */
export type TelemetryAnswer = {
  readonly ok: true;
  readonly stored: number;
  readonly known: number;
  readonly refused_count: number;
  readonly refused: ReadonlyArray<{
    readonly list: 'reads' | 'readings' | 'sessions';
    readonly entry: number | null;
    readonly row: number | null;
    readonly code:
      | 'length'
      | 'empty'
      | 'channel'
      | 'temperature'
      | 'humidity'
      | 'date'
      | 'future'
      | 'too_old'
      | 'too_many'
      | 'too_long';
    readonly count: number;
  }>;
  readonly next: {
    /** The device has no filter: read all of a channel, which ends with rows after `newest_at` */
    readonly watering: ReadonlyArray<{ readonly channel: number; readonly newest_at: number | null }>;
    /** Ask the device for rows from then on, that hour or day included; null: for all it has */
    readonly rain_hourly: { readonly from_at: number | null };
    /** Ask the device for rows from then on, that hour or day included; null: for all it has */
    readonly rain_daily: { readonly from_at: number | null };
    /** Ask the device for rows from then on, that hour or day included; null: for all it has */
    readonly environment_hourly: { readonly from_at: number | null };
    /** Ask the device for rows from then on, that hour or day included; null: for all it has */
    readonly environment_daily: { readonly from_at: number | null };
  };
};

/** Answer of `GET /telemetry/settings`. */
export type GetTelemetrySettingsAnswer = {
  readonly ok: true;
  readonly time_zone: string | null;
  /** The oldest first; the first one also holds for everything before it */
  readonly time_zones: ReadonlyArray<{ readonly since_at: number; readonly time_zone: string }>;
};

/** Input of `POST /telemetry/settings`. */
export type PostTelemetrySettingsInput = { readonly time_zone: string };

/** Answer of `POST /telemetry/settings`. */
export type PostTelemetrySettingsAnswer = {
  readonly ok: true;
  readonly time_zone: string | null;
  /** The oldest first; the first one also holds for everything before it */
  readonly time_zones: ReadonlyArray<{ readonly since_at: number; readonly time_zone: string }>;
};

/** Input of `GET /telemetry/devices/{serial}/runs`. */
export type TelemetryDevicesRunsInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  /** Milliseconds since 1970 */
  readonly from?: string | undefined;
  /** Milliseconds since 1970 */
  readonly to?: string | undefined;
  readonly channel?: string | undefined;
  readonly limit?: string | undefined;
  readonly cursor?: string | undefined;
};

/** Answer of `GET /telemetry/devices/{serial}/runs`. */
export type TelemetryDevicesRunsAnswer = {
  readonly ok: true;
  /** Milliseconds since 1970 */
  readonly from: number;
  /** Milliseconds since 1970 */
  readonly to: number;
  readonly runs: ReadonlyArray<{
    readonly run_id: string;
    readonly channel: number;
    /** Milliseconds since 1970 */
    readonly started_at: number;
    readonly ended_at: number | null;
    readonly is_clock_lost: boolean;
    readonly trigger: 'manual' | 'schedule' | 'remote' | 'unknown';
    readonly target: { readonly unit: 'minutes' | 'litres'; readonly value: number } | null;
    readonly outcome: 'completed' | 'stopped' | 'skipped' | 'interrupted' | 'outcome_unknown';
    readonly skip_reason: 'rain' | 'freeze' | 'other' | null;
    readonly volume: {
      readonly basis: 'measured' | 'estimated' | 'unknown';
      readonly millilitres: number | null;
      readonly is_minimum: boolean;
    };
    readonly rests_on: ReadonlyArray<'start_row' | 'stop_row' | 'skip_row' | 'watched' | 'reboot'>;
  }>;
  readonly next_cursor?: string | undefined;
};

/** Input of `GET /telemetry/devices/{serial}/series`. */
export type TelemetryDevicesSeriesInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  /** Milliseconds since 1970 */
  readonly from?: string | undefined;
  /** Milliseconds since 1970 */
  readonly to?: string | undefined;
  readonly measure: 'litres' | 'flow' | 'rain' | 'temperature' | 'humidity' | 'pressure';
  readonly resolution?: 'hour' | 'day' | 'month' | 'year' | undefined;
  readonly channel?: string | undefined;
};

/** Answer of `GET /telemetry/devices/{serial}/series`. */
export type TelemetryDevicesSeriesAnswer = {
  readonly ok: true;
  readonly measure: 'litres' | 'flow' | 'rain' | 'temperature' | 'humidity' | 'pressure';
  readonly unit: string;
  readonly resolution: 'hour' | 'day' | 'month' | 'year';
  /** Milliseconds since 1970 */
  readonly from: number;
  /** Milliseconds since 1970 */
  readonly to: number;
  readonly time_zone: string;
  readonly points_in_all: number;
  readonly points: ReadonlyArray<{
    /** Milliseconds since 1970 */ readonly at: number;
    /** Milliseconds since 1970 */
    readonly until: number;
    readonly period: string | null;
    readonly value: number | null;
    readonly min: number | null;
    readonly max: number | null;
    readonly basis: 'measured' | 'estimated' | 'unknown';
    readonly measured_litres?: number | undefined;
    readonly estimated_litres?: number | undefined;
    readonly runs_without_volume?: number | undefined;
  }>;
};

/** Input of `GET /telemetry/devices/{serial}/summary`. */
export type TelemetryDevicesSummaryInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  /** Milliseconds since 1970 */
  readonly from?: string | undefined;
  /** Milliseconds since 1970 */
  readonly to?: string | undefined;
};

/** Answer of `GET /telemetry/devices/{serial}/summary`. */
export type TelemetryDevicesSummaryAnswer = {
  readonly ok: true;
  /** A day of the owner’s */
  readonly first_day: string;
  /** A day of the owner’s */
  readonly last_day: string;
  readonly water: {
    readonly runs: number;
    readonly completed: number;
    readonly stopped: number;
    readonly interrupted: number;
    readonly outcome_unknown: number;
    readonly skipped: { readonly rain: number; readonly freeze: number; readonly other: number };
    readonly success_share: number | null;
    readonly litres: number | null;
    readonly measured_litres: number;
    readonly estimated_litres: number;
    readonly runs_without_volume: number;
    readonly mean_litres: number | null;
    readonly minutes: number;
  };
  readonly channels: ReadonlyArray<{
    readonly runs: number;
    readonly completed: number;
    readonly stopped: number;
    readonly interrupted: number;
    readonly outcome_unknown: number;
    readonly skipped: { readonly rain: number; readonly freeze: number; readonly other: number };
    readonly success_share: number | null;
    readonly litres: number | null;
    readonly measured_litres: number;
    readonly estimated_litres: number;
    readonly runs_without_volume: number;
    readonly mean_litres: number | null;
    readonly minutes: number;
    readonly channel: number;
  }>;
  readonly busiest_channel: number | null;
  readonly busiest_hour: number | null;
  readonly rain: {
    readonly millimetres: number;
    readonly mean_per_day: number;
    readonly most_in_an_hour: number;
    readonly rainy_days: number;
    readonly dry_days: number;
    readonly longest_dry_spell: number;
  } | null;
  readonly temperature: { readonly min: number; readonly average: number; readonly max: number } | null;
  readonly humidity: { readonly min: number; readonly average: number; readonly max: number } | null;
};

/** Input of `GET /telemetry/devices/{serial}/insights`. */
export type TelemetryDevicesInsightsInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  /** Milliseconds since 1970 */
  readonly from?: string | undefined;
  /** Milliseconds since 1970 */
  readonly to?: string | undefined;
};

/** Answer of `GET /telemetry/devices/{serial}/insights`. */
export type TelemetryDevicesInsightsAnswer = {
  readonly ok: true;
  /** Milliseconds since 1970 */
  readonly from: number;
  /** Milliseconds since 1970 */
  readonly to: number;
  readonly insights: ReadonlyArray<{
    /** Stays the same while its beginning does */ readonly insight_id: string;
    readonly kind:
      | 'water_use'
      | 'saved'
      | 'dry_spell'
      | 'high_use'
      | 'leak'
      | 'no_flow'
      | 'lock'
      | 'frost'
      | 'flat_line'
      | 'silent_sensor'
      | 'clock_lost'
      | 'interrupted'
      | 'unheard'
      | 'history_at_risk';
    readonly channel: number | null;
    readonly severity: 'info' | 'warning' | 'danger' | 'critical';
    /** Milliseconds since 1970 */
    readonly since_at: number;
    readonly until_at: number | null;
    readonly rests_on: ReadonlyArray<
      | 'alarm'
      | 'status'
      | 'hydraulic_status'
      | 'flow_meter'
      | 'watched_runs'
      | 'runs'
      | 'skip_rows'
      | 'roll_ups'
      | 'rain_days'
      | 'weather_hours'
      | 'weather_days'
      | 'weather_sensor'
      | 'clock'
      | 'uptime'
      | 'visits'
    >;
    readonly is_estimate: boolean;
    readonly facts: Readonly<Record<string, string | number>>;
  }>;
};

/** Input of `POST /devices/{serial}/commands`. */
export type PostDevicesBySerialCommandsInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  readonly command_key: string;
  readonly intent:
    | {
        readonly kind: 'water';
        /** From 0 */
        readonly channel: number;
        readonly minutes: number;
      }
    | {
        readonly kind: 'water';
        /** From 0 */
        readonly channel: number;
        readonly litres: number;
      }
    | { readonly kind: 'stop' }
    | { readonly kind: 'pause' }
    | { readonly kind: 'resume' }
    | { readonly kind: 'start_next' }
    | { readonly kind: 'clear_queue' }
    | { readonly kind: 'clear_alarm' }
    | {
        readonly kind: 'skip_next';
        /** From 0 */
        readonly channel: number;
        readonly at: number;
      }
    | {
        readonly kind: 'set_schedule';
        /** From 0 */
        readonly channel: number;
        readonly schedule: {
          readonly repeats: 'weekly' | 'every_n_days' | 'automatic';
          /** Of weekly: bit 0 is Sunday */
          readonly days?: number | undefined;
          readonly interval_days?: number | undefined;
          readonly hour: number;
          readonly minute: number;
          readonly amount: { readonly minutes: number } | { readonly litres: number };
          readonly enabled: boolean;
          readonly solar?: { readonly event: 'sunset' | 'sunrise'; readonly offset_minutes: number } | undefined;
        };
      }
    | {
        readonly kind: 'set_clock';
        readonly time_zone: {
          readonly utc_offset_minutes: number;
          /** The rule of summer time; null without one */
          readonly dst: {
            readonly offset_minutes: number;
            readonly start: {
              readonly month: number;
              /** 5 is the last of the month */
              readonly week: number;
              /** 0 is Sunday */
              readonly day: number;
            };
            readonly end: {
              readonly month: number;
              /** 5 is the last of the month */
              readonly week: number;
              /** 0 is Sunday */
              readonly day: number;
            };
          } | null;
        };
      }
    | {
        readonly kind: 'set_time_zone';
        readonly time_zone: {
          readonly utc_offset_minutes: number;
          /** The rule of summer time; null without one */
          readonly dst: {
            readonly offset_minutes: number;
            readonly start: {
              readonly month: number;
              /** 5 is the last of the month */
              readonly week: number;
              /** 0 is Sunday */
              readonly day: number;
            };
            readonly end: {
              readonly month: number;
              /** 5 is the last of the month */
              readonly week: number;
              /** 0 is Sunday */
              readonly day: number;
            };
          } | null;
        };
      }
    | {
        readonly kind: 'reset_channel';
        /** From 0 */
        readonly channel: number;
        readonly what: 'channel' | 'schedule';
      };
  readonly expires_in_seconds?: number | undefined;
};

/** Answer of `POST /devices/{serial}/commands`. */
export type PostDevicesBySerialCommandsAnswer = {
  readonly ok: true;
  readonly command: {
    readonly command_id: string;
    readonly command_key: string;
    readonly serial: string;
    readonly intent:
      | {
          readonly kind: 'water';
          /** From 0 */
          readonly channel: number;
          readonly minutes: number;
        }
      | {
          readonly kind: 'water';
          /** From 0 */
          readonly channel: number;
          readonly litres: number;
        }
      | { readonly kind: 'stop' }
      | { readonly kind: 'pause' }
      | { readonly kind: 'resume' }
      | { readonly kind: 'start_next' }
      | { readonly kind: 'clear_queue' }
      | { readonly kind: 'clear_alarm' }
      | {
          readonly kind: 'skip_next';
          /** From 0 */
          readonly channel: number;
          readonly at: number;
        }
      | {
          readonly kind: 'set_schedule';
          /** From 0 */
          readonly channel: number;
          readonly schedule: {
            readonly repeats: 'weekly' | 'every_n_days' | 'automatic';
            /** Of weekly: bit 0 is Sunday */
            readonly days?: number | undefined;
            readonly interval_days?: number | undefined;
            readonly hour: number;
            readonly minute: number;
            readonly amount: { readonly minutes: number } | { readonly litres: number };
            readonly enabled: boolean;
            readonly solar?: { readonly event: 'sunset' | 'sunrise'; readonly offset_minutes: number } | undefined;
          };
        }
      | {
          readonly kind: 'set_clock';
          readonly time_zone: {
            readonly utc_offset_minutes: number;
            /** The rule of summer time; null without one */
            readonly dst: {
              readonly offset_minutes: number;
              readonly start: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
              readonly end: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
            } | null;
          };
        }
      | {
          readonly kind: 'set_time_zone';
          readonly time_zone: {
            readonly utc_offset_minutes: number;
            /** The rule of summer time; null without one */
            readonly dst: {
              readonly offset_minutes: number;
              readonly start: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
              readonly end: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
            } | null;
          };
        }
      | {
          readonly kind: 'reset_channel';
          /** From 0 */
          readonly channel: number;
          readonly what: 'channel' | 'schedule';
        };
    readonly state:
      | 'queued'
      | 'leased'
      | 'delivered'
      | 'done'
      | 'refused'
      | 'dropped'
      | 'failed'
      | 'expired'
      | 'cancelled';
    /** Why it ended as it did; null for one that was done */
    readonly reason:
      | 'freeze'
      | 'rain_skip'
      | 'queue_full'
      | 'nothing_to_do'
      | 'busy'
      | 'not_permitted'
      | 'value_not_allowed'
      | 'wrong_code'
      | 'not_saved'
      | 'no_clock'
      | 'device_error'
      | 'channel_locked'
      | 'device_locked'
      | 'unknown'
      | 'outcome_unknown'
      | 'nobody_came'
      | 'by_owner'
      | 'stopped'
      | null;
    /** Milliseconds since 1970 */
    readonly created_at: number;
    /** Milliseconds since 1970 */
    readonly expires_at: number;
    readonly ended_at: number | null;
    /** Grows with every change */
    readonly revision: number;
    readonly leased_until: number | null;
    readonly may_have_been_written: boolean;
  };
};

/** Input of `GET /devices/{serial}/commands`. */
export type GetDevicesBySerialCommandsInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  readonly limit?: string | undefined;
  readonly cursor?: string | undefined;
};

/** Answer of `GET /devices/{serial}/commands`. */
export type GetDevicesBySerialCommandsAnswer = {
  readonly ok: true;
  readonly commands: ReadonlyArray<{
    readonly command_id: string;
    readonly command_key: string;
    readonly serial: string;
    readonly intent:
      | {
          readonly kind: 'water';
          /** From 0 */
          readonly channel: number;
          readonly minutes: number;
        }
      | {
          readonly kind: 'water';
          /** From 0 */
          readonly channel: number;
          readonly litres: number;
        }
      | { readonly kind: 'stop' }
      | { readonly kind: 'pause' }
      | { readonly kind: 'resume' }
      | { readonly kind: 'start_next' }
      | { readonly kind: 'clear_queue' }
      | { readonly kind: 'clear_alarm' }
      | {
          readonly kind: 'skip_next';
          /** From 0 */
          readonly channel: number;
          readonly at: number;
        }
      | {
          readonly kind: 'set_schedule';
          /** From 0 */
          readonly channel: number;
          readonly schedule: {
            readonly repeats: 'weekly' | 'every_n_days' | 'automatic';
            /** Of weekly: bit 0 is Sunday */
            readonly days?: number | undefined;
            readonly interval_days?: number | undefined;
            readonly hour: number;
            readonly minute: number;
            readonly amount: { readonly minutes: number } | { readonly litres: number };
            readonly enabled: boolean;
            readonly solar?: { readonly event: 'sunset' | 'sunrise'; readonly offset_minutes: number } | undefined;
          };
        }
      | {
          readonly kind: 'set_clock';
          readonly time_zone: {
            readonly utc_offset_minutes: number;
            /** The rule of summer time; null without one */
            readonly dst: {
              readonly offset_minutes: number;
              readonly start: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
              readonly end: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
            } | null;
          };
        }
      | {
          readonly kind: 'set_time_zone';
          readonly time_zone: {
            readonly utc_offset_minutes: number;
            /** The rule of summer time; null without one */
            readonly dst: {
              readonly offset_minutes: number;
              readonly start: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
              readonly end: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
            } | null;
          };
        }
      | {
          readonly kind: 'reset_channel';
          /** From 0 */
          readonly channel: number;
          readonly what: 'channel' | 'schedule';
        };
    readonly state:
      | 'queued'
      | 'leased'
      | 'delivered'
      | 'done'
      | 'refused'
      | 'dropped'
      | 'failed'
      | 'expired'
      | 'cancelled';
    /** Why it ended as it did; null for one that was done */
    readonly reason:
      | 'freeze'
      | 'rain_skip'
      | 'queue_full'
      | 'nothing_to_do'
      | 'busy'
      | 'not_permitted'
      | 'value_not_allowed'
      | 'wrong_code'
      | 'not_saved'
      | 'no_clock'
      | 'device_error'
      | 'channel_locked'
      | 'device_locked'
      | 'unknown'
      | 'outcome_unknown'
      | 'nobody_came'
      | 'by_owner'
      | 'stopped'
      | null;
    /** Milliseconds since 1970 */
    readonly created_at: number;
    /** Milliseconds since 1970 */
    readonly expires_at: number;
    readonly ended_at: number | null;
    /** Grows with every change */
    readonly revision: number;
    readonly leased_until: number | null;
    readonly may_have_been_written: boolean;
  }>;
  readonly next_cursor?: string | undefined;
};

/** Input of `GET /devices/{serial}/commands/{command_id}`. */
export type GetDevicesBySerialCommandsByCommandIdInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  readonly command_id: string;
};

/** Answer of `GET /devices/{serial}/commands/{command_id}`. */
export type GetDevicesBySerialCommandsByCommandIdAnswer = {
  readonly ok: true;
  readonly command: {
    readonly command_id: string;
    readonly command_key: string;
    readonly serial: string;
    readonly intent:
      | {
          readonly kind: 'water';
          /** From 0 */
          readonly channel: number;
          readonly minutes: number;
        }
      | {
          readonly kind: 'water';
          /** From 0 */
          readonly channel: number;
          readonly litres: number;
        }
      | { readonly kind: 'stop' }
      | { readonly kind: 'pause' }
      | { readonly kind: 'resume' }
      | { readonly kind: 'start_next' }
      | { readonly kind: 'clear_queue' }
      | { readonly kind: 'clear_alarm' }
      | {
          readonly kind: 'skip_next';
          /** From 0 */
          readonly channel: number;
          readonly at: number;
        }
      | {
          readonly kind: 'set_schedule';
          /** From 0 */
          readonly channel: number;
          readonly schedule: {
            readonly repeats: 'weekly' | 'every_n_days' | 'automatic';
            /** Of weekly: bit 0 is Sunday */
            readonly days?: number | undefined;
            readonly interval_days?: number | undefined;
            readonly hour: number;
            readonly minute: number;
            readonly amount: { readonly minutes: number } | { readonly litres: number };
            readonly enabled: boolean;
            readonly solar?: { readonly event: 'sunset' | 'sunrise'; readonly offset_minutes: number } | undefined;
          };
        }
      | {
          readonly kind: 'set_clock';
          readonly time_zone: {
            readonly utc_offset_minutes: number;
            /** The rule of summer time; null without one */
            readonly dst: {
              readonly offset_minutes: number;
              readonly start: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
              readonly end: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
            } | null;
          };
        }
      | {
          readonly kind: 'set_time_zone';
          readonly time_zone: {
            readonly utc_offset_minutes: number;
            /** The rule of summer time; null without one */
            readonly dst: {
              readonly offset_minutes: number;
              readonly start: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
              readonly end: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
            } | null;
          };
        }
      | {
          readonly kind: 'reset_channel';
          /** From 0 */
          readonly channel: number;
          readonly what: 'channel' | 'schedule';
        };
    readonly state:
      | 'queued'
      | 'leased'
      | 'delivered'
      | 'done'
      | 'refused'
      | 'dropped'
      | 'failed'
      | 'expired'
      | 'cancelled';
    /** Why it ended as it did; null for one that was done */
    readonly reason:
      | 'freeze'
      | 'rain_skip'
      | 'queue_full'
      | 'nothing_to_do'
      | 'busy'
      | 'not_permitted'
      | 'value_not_allowed'
      | 'wrong_code'
      | 'not_saved'
      | 'no_clock'
      | 'device_error'
      | 'channel_locked'
      | 'device_locked'
      | 'unknown'
      | 'outcome_unknown'
      | 'nobody_came'
      | 'by_owner'
      | 'stopped'
      | null;
    /** Milliseconds since 1970 */
    readonly created_at: number;
    /** Milliseconds since 1970 */
    readonly expires_at: number;
    readonly ended_at: number | null;
    /** Grows with every change */
    readonly revision: number;
    readonly leased_until: number | null;
    readonly may_have_been_written: boolean;
  };
  readonly audit: ReadonlyArray<{
    /** Milliseconds since 1970 */ readonly at: number;
    readonly step: string;
    readonly by: string;
  }>;
};

/** Input of `POST /devices/{serial}/commands/{command_id}/cancel`. */
export type DevicesCommandsCancelInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  readonly command_id: string;
};

/** Answer of `POST /devices/{serial}/commands/{command_id}/cancel`. */
export type DevicesCommandsCancelAnswer = {
  readonly ok: true;
  readonly command: {
    readonly command_id: string;
    readonly command_key: string;
    readonly serial: string;
    readonly intent:
      | {
          readonly kind: 'water';
          /** From 0 */
          readonly channel: number;
          readonly minutes: number;
        }
      | {
          readonly kind: 'water';
          /** From 0 */
          readonly channel: number;
          readonly litres: number;
        }
      | { readonly kind: 'stop' }
      | { readonly kind: 'pause' }
      | { readonly kind: 'resume' }
      | { readonly kind: 'start_next' }
      | { readonly kind: 'clear_queue' }
      | { readonly kind: 'clear_alarm' }
      | {
          readonly kind: 'skip_next';
          /** From 0 */
          readonly channel: number;
          readonly at: number;
        }
      | {
          readonly kind: 'set_schedule';
          /** From 0 */
          readonly channel: number;
          readonly schedule: {
            readonly repeats: 'weekly' | 'every_n_days' | 'automatic';
            /** Of weekly: bit 0 is Sunday */
            readonly days?: number | undefined;
            readonly interval_days?: number | undefined;
            readonly hour: number;
            readonly minute: number;
            readonly amount: { readonly minutes: number } | { readonly litres: number };
            readonly enabled: boolean;
            readonly solar?: { readonly event: 'sunset' | 'sunrise'; readonly offset_minutes: number } | undefined;
          };
        }
      | {
          readonly kind: 'set_clock';
          readonly time_zone: {
            readonly utc_offset_minutes: number;
            /** The rule of summer time; null without one */
            readonly dst: {
              readonly offset_minutes: number;
              readonly start: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
              readonly end: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
            } | null;
          };
        }
      | {
          readonly kind: 'set_time_zone';
          readonly time_zone: {
            readonly utc_offset_minutes: number;
            /** The rule of summer time; null without one */
            readonly dst: {
              readonly offset_minutes: number;
              readonly start: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
              readonly end: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
            } | null;
          };
        }
      | {
          readonly kind: 'reset_channel';
          /** From 0 */
          readonly channel: number;
          readonly what: 'channel' | 'schedule';
        };
    readonly state:
      | 'queued'
      | 'leased'
      | 'delivered'
      | 'done'
      | 'refused'
      | 'dropped'
      | 'failed'
      | 'expired'
      | 'cancelled';
    /** Why it ended as it did; null for one that was done */
    readonly reason:
      | 'freeze'
      | 'rain_skip'
      | 'queue_full'
      | 'nothing_to_do'
      | 'busy'
      | 'not_permitted'
      | 'value_not_allowed'
      | 'wrong_code'
      | 'not_saved'
      | 'no_clock'
      | 'device_error'
      | 'channel_locked'
      | 'device_locked'
      | 'unknown'
      | 'outcome_unknown'
      | 'nobody_came'
      | 'by_owner'
      | 'stopped'
      | null;
    /** Milliseconds since 1970 */
    readonly created_at: number;
    /** Milliseconds since 1970 */
    readonly expires_at: number;
    readonly ended_at: number | null;
    /** Grows with every change */
    readonly revision: number;
    readonly leased_until: number | null;
    readonly may_have_been_written: boolean;
  };
};

/** Input of `POST /commands/offers`. */
export type CommandsOffersInput = { readonly serials: ReadonlyArray<string> };

/** Answer of `POST /commands/offers`. */
export type CommandsOffersAnswer = {
  readonly ok: true;
  /** Milliseconds since 1970 */
  readonly time: number;
  readonly devices: ReadonlyArray<{
    readonly serial: string;
    readonly commands: ReadonlyArray<{
      readonly command_id: string;
      readonly command_key: string;
      readonly serial: string;
      readonly intent:
        | {
            readonly kind: 'water';
            /** From 0 */
            readonly channel: number;
            readonly minutes: number;
          }
        | {
            readonly kind: 'water';
            /** From 0 */
            readonly channel: number;
            readonly litres: number;
          }
        | { readonly kind: 'stop' }
        | { readonly kind: 'pause' }
        | { readonly kind: 'resume' }
        | { readonly kind: 'start_next' }
        | { readonly kind: 'clear_queue' }
        | { readonly kind: 'clear_alarm' }
        | {
            readonly kind: 'skip_next';
            /** From 0 */
            readonly channel: number;
            readonly at: number;
          }
        | {
            readonly kind: 'set_schedule';
            /** From 0 */
            readonly channel: number;
            readonly schedule: {
              readonly repeats: 'weekly' | 'every_n_days' | 'automatic';
              /** Of weekly: bit 0 is Sunday */
              readonly days?: number | undefined;
              readonly interval_days?: number | undefined;
              readonly hour: number;
              readonly minute: number;
              readonly amount: { readonly minutes: number } | { readonly litres: number };
              readonly enabled: boolean;
              readonly solar?: { readonly event: 'sunset' | 'sunrise'; readonly offset_minutes: number } | undefined;
            };
          }
        | {
            readonly kind: 'set_clock';
            readonly time_zone: {
              readonly utc_offset_minutes: number;
              /** The rule of summer time; null without one */
              readonly dst: {
                readonly offset_minutes: number;
                readonly start: {
                  readonly month: number;
                  /** 5 is the last of the month */
                  readonly week: number;
                  /** 0 is Sunday */
                  readonly day: number;
                };
                readonly end: {
                  readonly month: number;
                  /** 5 is the last of the month */
                  readonly week: number;
                  /** 0 is Sunday */
                  readonly day: number;
                };
              } | null;
            };
          }
        | {
            readonly kind: 'set_time_zone';
            readonly time_zone: {
              readonly utc_offset_minutes: number;
              /** The rule of summer time; null without one */
              readonly dst: {
                readonly offset_minutes: number;
                readonly start: {
                  readonly month: number;
                  /** 5 is the last of the month */
                  readonly week: number;
                  /** 0 is Sunday */
                  readonly day: number;
                };
                readonly end: {
                  readonly month: number;
                  /** 5 is the last of the month */
                  readonly week: number;
                  /** 0 is Sunday */
                  readonly day: number;
                };
              } | null;
            };
          }
        | {
            readonly kind: 'reset_channel';
            /** From 0 */
            readonly channel: number;
            readonly what: 'channel' | 'schedule';
          };
      readonly state:
        | 'queued'
        | 'leased'
        | 'delivered'
        | 'done'
        | 'refused'
        | 'dropped'
        | 'failed'
        | 'expired'
        | 'cancelled';
      /** Why it ended as it did; null for one that was done */
      readonly reason:
        | 'freeze'
        | 'rain_skip'
        | 'queue_full'
        | 'nothing_to_do'
        | 'busy'
        | 'not_permitted'
        | 'value_not_allowed'
        | 'wrong_code'
        | 'not_saved'
        | 'no_clock'
        | 'device_error'
        | 'channel_locked'
        | 'device_locked'
        | 'unknown'
        | 'outcome_unknown'
        | 'nobody_came'
        | 'by_owner'
        | 'stopped'
        | null;
      /** Milliseconds since 1970 */
      readonly created_at: number;
      /** Milliseconds since 1970 */
      readonly expires_at: number;
      readonly ended_at: number | null;
      /** Grows with every change */
      readonly revision: number;
      readonly leased_until: number | null;
      readonly may_have_been_written: boolean;
    }>;
    readonly changes_at: number | null;
  }>;
};

/** Input of `POST /devices/{serial}/commands/{command_id}/lease`. */
export type DevicesCommandsLeaseInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  readonly command_id: string;
  /** Needed with the user's token; a peer's own token says who it is */
  readonly carrier_id?: string | undefined;
  /** Of this try to carry it: the same when you ask again or renew, another after a restart */
  readonly attempt_id: string;
};

/** Answer of `POST /devices/{serial}/commands/{command_id}/lease`. */
export type DevicesCommandsLeaseAnswer = {
  readonly ok: true;
  readonly command: {
    readonly command_id: string;
    readonly command_key: string;
    readonly serial: string;
    readonly intent:
      | {
          readonly kind: 'water';
          /** From 0 */
          readonly channel: number;
          readonly minutes: number;
        }
      | {
          readonly kind: 'water';
          /** From 0 */
          readonly channel: number;
          readonly litres: number;
        }
      | { readonly kind: 'stop' }
      | { readonly kind: 'pause' }
      | { readonly kind: 'resume' }
      | { readonly kind: 'start_next' }
      | { readonly kind: 'clear_queue' }
      | { readonly kind: 'clear_alarm' }
      | {
          readonly kind: 'skip_next';
          /** From 0 */
          readonly channel: number;
          readonly at: number;
        }
      | {
          readonly kind: 'set_schedule';
          /** From 0 */
          readonly channel: number;
          readonly schedule: {
            readonly repeats: 'weekly' | 'every_n_days' | 'automatic';
            /** Of weekly: bit 0 is Sunday */
            readonly days?: number | undefined;
            readonly interval_days?: number | undefined;
            readonly hour: number;
            readonly minute: number;
            readonly amount: { readonly minutes: number } | { readonly litres: number };
            readonly enabled: boolean;
            readonly solar?: { readonly event: 'sunset' | 'sunrise'; readonly offset_minutes: number } | undefined;
          };
        }
      | {
          readonly kind: 'set_clock';
          readonly time_zone: {
            readonly utc_offset_minutes: number;
            /** The rule of summer time; null without one */
            readonly dst: {
              readonly offset_minutes: number;
              readonly start: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
              readonly end: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
            } | null;
          };
        }
      | {
          readonly kind: 'set_time_zone';
          readonly time_zone: {
            readonly utc_offset_minutes: number;
            /** The rule of summer time; null without one */
            readonly dst: {
              readonly offset_minutes: number;
              readonly start: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
              readonly end: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
            } | null;
          };
        }
      | {
          readonly kind: 'reset_channel';
          /** From 0 */
          readonly channel: number;
          readonly what: 'channel' | 'schedule';
        };
    readonly state:
      | 'queued'
      | 'leased'
      | 'delivered'
      | 'done'
      | 'refused'
      | 'dropped'
      | 'failed'
      | 'expired'
      | 'cancelled';
    /** Why it ended as it did; null for one that was done */
    readonly reason:
      | 'freeze'
      | 'rain_skip'
      | 'queue_full'
      | 'nothing_to_do'
      | 'busy'
      | 'not_permitted'
      | 'value_not_allowed'
      | 'wrong_code'
      | 'not_saved'
      | 'no_clock'
      | 'device_error'
      | 'channel_locked'
      | 'device_locked'
      | 'unknown'
      | 'outcome_unknown'
      | 'nobody_came'
      | 'by_owner'
      | 'stopped'
      | null;
    /** Milliseconds since 1970 */
    readonly created_at: number;
    /** Milliseconds since 1970 */
    readonly expires_at: number;
    readonly ended_at: number | null;
    /** Grows with every change */
    readonly revision: number;
    readonly leased_until: number | null;
    readonly may_have_been_written: boolean;
  };
  readonly fence: number;
  /** Milliseconds since 1970 */
  readonly leased_until: number;
  readonly must_look: boolean;
  /** Milliseconds since 1970 */
  readonly first_taken_at: number;
  /** Milliseconds since 1970 */
  readonly time: number;
};

/** Input of `POST /devices/{serial}/commands/{command_id}/report`. */
export type DevicesCommandsReportInput = {
  /** Six digits, as printed on the device */ readonly serial: string;
  readonly command_id: string;
  readonly outcome: 'delivered' | 'seen' | 'nothing_seen' | 'refused' | 'unclear' | 'gave_up';
  readonly fence: number;
  /** Needed with the user's token; a peer's own token says who it is */
  readonly carrier_id?: string | undefined;
  /** What was read or notified since the writes, in order, at most ten seconds ago */
  readonly observed?:
    | ReadonlyArray<{
        readonly characteristic:
          | '6793'
          | 'def1'
          | 'def3'
          | 'def5'
          | 'def7'
          | 'def9'
          | 'defa'
          | 'defc'
          | 'deff'
          | 'de18'
          | 'de21'
          | 'de22';
        readonly bytes: string;
      }>
    | undefined;
  /** With refused */
  readonly att_error?: number | undefined;
  /** With gave_up */
  readonly wrote?: 'no' | 'maybe' | undefined;
  /** With gave_up */
  readonly reason?: 'device_busy' | 'out_of_range' | 'link_lost' | 'other' | undefined;
};

/** Answer of `POST /devices/{serial}/commands/{command_id}/report`. */
export type DevicesCommandsReportAnswer = {
  readonly ok: true;
  readonly command: {
    readonly command_id: string;
    readonly command_key: string;
    readonly serial: string;
    readonly intent:
      | {
          readonly kind: 'water';
          /** From 0 */
          readonly channel: number;
          readonly minutes: number;
        }
      | {
          readonly kind: 'water';
          /** From 0 */
          readonly channel: number;
          readonly litres: number;
        }
      | { readonly kind: 'stop' }
      | { readonly kind: 'pause' }
      | { readonly kind: 'resume' }
      | { readonly kind: 'start_next' }
      | { readonly kind: 'clear_queue' }
      | { readonly kind: 'clear_alarm' }
      | {
          readonly kind: 'skip_next';
          /** From 0 */
          readonly channel: number;
          readonly at: number;
        }
      | {
          readonly kind: 'set_schedule';
          /** From 0 */
          readonly channel: number;
          readonly schedule: {
            readonly repeats: 'weekly' | 'every_n_days' | 'automatic';
            /** Of weekly: bit 0 is Sunday */
            readonly days?: number | undefined;
            readonly interval_days?: number | undefined;
            readonly hour: number;
            readonly minute: number;
            readonly amount: { readonly minutes: number } | { readonly litres: number };
            readonly enabled: boolean;
            readonly solar?: { readonly event: 'sunset' | 'sunrise'; readonly offset_minutes: number } | undefined;
          };
        }
      | {
          readonly kind: 'set_clock';
          readonly time_zone: {
            readonly utc_offset_minutes: number;
            /** The rule of summer time; null without one */
            readonly dst: {
              readonly offset_minutes: number;
              readonly start: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
              readonly end: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
            } | null;
          };
        }
      | {
          readonly kind: 'set_time_zone';
          readonly time_zone: {
            readonly utc_offset_minutes: number;
            /** The rule of summer time; null without one */
            readonly dst: {
              readonly offset_minutes: number;
              readonly start: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
              readonly end: {
                readonly month: number;
                /** 5 is the last of the month */
                readonly week: number;
                /** 0 is Sunday */
                readonly day: number;
              };
            } | null;
          };
        }
      | {
          readonly kind: 'reset_channel';
          /** From 0 */
          readonly channel: number;
          readonly what: 'channel' | 'schedule';
        };
    readonly state:
      | 'queued'
      | 'leased'
      | 'delivered'
      | 'done'
      | 'refused'
      | 'dropped'
      | 'failed'
      | 'expired'
      | 'cancelled';
    /** Why it ended as it did; null for one that was done */
    readonly reason:
      | 'freeze'
      | 'rain_skip'
      | 'queue_full'
      | 'nothing_to_do'
      | 'busy'
      | 'not_permitted'
      | 'value_not_allowed'
      | 'wrong_code'
      | 'not_saved'
      | 'no_clock'
      | 'device_error'
      | 'channel_locked'
      | 'device_locked'
      | 'unknown'
      | 'outcome_unknown'
      | 'nobody_came'
      | 'by_owner'
      | 'stopped'
      | null;
    /** Milliseconds since 1970 */
    readonly created_at: number;
    /** Milliseconds since 1970 */
    readonly expires_at: number;
    readonly ended_at: number | null;
    /** Grows with every change */
    readonly revision: number;
    readonly leased_until: number | null;
    readonly may_have_been_written: boolean;
  };
  readonly recorded: 'in_time' | 'late';
  readonly is_done: boolean;
  readonly look_again_after: number | null;
};

/** Answer of `GET /commands/settings`. */
export type GetCommandsSettingsAnswer = {
  readonly ok: true;
  readonly settings: {
    readonly longest_run_minutes: number;
    readonly longest_run_litres: number;
    /** Of one channel, in any 24 hours */
    readonly minutes_a_day: number;
    /** Of one channel, in any 24 hours */
    readonly litres_a_day: number;
  };
};

/** Input of `POST /commands/settings`. */
export type PostCommandsSettingsInput = {
  readonly longest_run_minutes?: number | undefined;
  readonly longest_run_litres?: number | undefined;
  /** Of one channel, in any 24 hours */
  readonly minutes_a_day?: number | undefined;
  /** Of one channel, in any 24 hours */
  readonly litres_a_day?: number | undefined;
};

/** Answer of `POST /commands/settings`. */
export type PostCommandsSettingsAnswer = {
  readonly ok: true;
  readonly settings: {
    readonly longest_run_minutes: number;
    readonly longest_run_litres: number;
    /** Of one channel, in any 24 hours */
    readonly minutes_a_day: number;
    /** Of one channel, in any 24 hours */
    readonly litres_a_day: number;
  };
};

/** Input of `GET /notifications`. */
export type NotificationsInput = { readonly limit?: string | undefined; readonly cursor?: string | undefined };

/** Answer of `GET /notifications`. */
export type NotificationsAnswer = {
  readonly ok: true;
  readonly notifications: ReadonlyArray<{
    readonly notification_id: string;
    readonly kind:
      | 'alarm'
      | 'lock'
      | 'leak'
      | 'no_flow'
      | 'frost'
      | 'unheard'
      | 'history_at_risk'
      | 'insight'
      | 'update'
      | 'subscription'
      | 'new_peer'
      | 'command';
    readonly topic: string;
    readonly severity: 'info' | 'warning' | 'danger' | 'critical';
    readonly serial: string | null;
    readonly facts: Readonly<Record<string, string | number>>;
    readonly title: string;
    readonly body: string;
    readonly at: number;
    readonly created_at: number;
    readonly read: boolean;
  }>;
  readonly unread: number;
  readonly next_cursor?: string | undefined;
};

/** Input of `POST /notifications/read`. */
export type NotificationsReadInput = { readonly notification_ids: ReadonlyArray<string> } | { readonly until: number };

/** Answer of `POST /notifications/read`. */
export type NotificationsReadAnswer = { readonly ok: true; readonly unread: number };

/** Answer of `GET /notifications/settings`. */
export type GetNotificationsSettingsAnswer = {
  readonly ok: true;
  readonly language: 'en' | 'ro' | null;
  readonly time_zone: string | null;
  readonly quiet_hours: { readonly from: string; readonly to: string } | null;
  readonly digest_at: string | null;
  readonly kinds: Readonly<
    Record<string, { readonly web_push: boolean; readonly mobile_push: boolean; readonly email: boolean }>
  >;
  readonly channels: {
    readonly web_push: { readonly configured: boolean; readonly public_key: string | null };
    readonly mobile_push: { readonly configured: boolean; readonly platforms: ReadonlyArray<'apple' | 'android'> };
    readonly email: { readonly configured: boolean };
  };
  readonly languages: ReadonlyArray<'en' | 'ro'>;
};

/** Input of `POST /notifications/settings`. */
export type PostNotificationsSettingsInput = {
  readonly language?: 'en' | 'ro' | null | undefined;
  readonly time_zone?: string | null | undefined;
  readonly quiet_hours?: { readonly from: string; readonly to: string } | null | undefined;
  readonly digest_at?: string | null | undefined;
  readonly kinds?:
    | Readonly<
        Record<
          string,
          {
            readonly web_push?: boolean | undefined;
            readonly mobile_push?: boolean | undefined;
            readonly email?: boolean | undefined;
          }
        >
      >
    | undefined;
};

/** Answer of `POST /notifications/settings`. */
export type PostNotificationsSettingsAnswer = {
  readonly ok: true;
  readonly language: 'en' | 'ro' | null;
  readonly time_zone: string | null;
  readonly quiet_hours: { readonly from: string; readonly to: string } | null;
  readonly digest_at: string | null;
  readonly kinds: Readonly<
    Record<string, { readonly web_push: boolean; readonly mobile_push: boolean; readonly email: boolean }>
  >;
  readonly channels: {
    readonly web_push: { readonly configured: boolean; readonly public_key: string | null };
    readonly mobile_push: { readonly configured: boolean; readonly platforms: ReadonlyArray<'apple' | 'android'> };
    readonly email: { readonly configured: boolean };
  };
  readonly languages: ReadonlyArray<'en' | 'ro'>;
};

/** Answer of `POST /notifications/test`. */
export type NotificationsTestAnswer = { readonly ok: true };

/** Input of `POST /notifications/subscriptions`. */
export type PostNotificationsSubscriptionsInput =
  | {
      readonly type: 'web_push';
      readonly endpoint: string;
      readonly expirationTime?: number | null | undefined;
      readonly keys: { readonly p256dh: string; readonly auth: string };
      /** What the browser subscribed with; the current key if left out */
      readonly public_key?: string | undefined;
    }
  | { readonly type: 'mobile_push'; readonly platform: 'apple' | 'android'; readonly token: string };

/** Answer of `POST /notifications/subscriptions`. */
export type PostNotificationsSubscriptionsAnswer = {
  readonly ok: true;
  readonly subscription: {
    readonly subscription_id: string;
    readonly type: 'web_push' | 'mobile_push';
    readonly service: string;
    readonly created_at: number;
  };
};

/** Answer of `GET /notifications/subscriptions`. */
export type GetNotificationsSubscriptionsAnswer = {
  readonly ok: true;
  readonly subscriptions: ReadonlyArray<{
    readonly subscription_id: string;
    readonly type: 'web_push' | 'mobile_push';
    readonly service: string;
    readonly created_at: number;
  }>;
};

/** Input of `POST /notifications/subscriptions/{subscription_id}/remove`. */
export type NotificationsSubscriptionsRemoveInput = { readonly subscription_id: string };

/** Answer of `POST /notifications/subscriptions/{subscription_id}/remove`. */
export type NotificationsSubscriptionsRemoveAnswer = { readonly ok: true };

/** Answer of `GET /health`. */
export type HealthAnswer = { readonly ok: true; readonly status: 'alive'; readonly timestamp: string };

/** Answer of `GET /health/deep`. */
export type HealthDeepAnswer = {
  readonly ok: boolean;
  readonly status: 'healthy' | 'degraded';
  readonly subsystem?: 'ota' | 'stripe' | 'provisioning' | undefined;
  readonly timestamp: string;
  readonly latencyMs: number;
  readonly checks: ReadonlyArray<{
    readonly name: string;
    readonly ok: boolean;
    readonly latencyMs: number;
    readonly error?: 'timeout' | 'unavailable' | 'not_configured' | undefined;
  }>;
};

/** Answer of `GET /health/ota`. */
export type HealthOtaAnswer = {
  readonly ok: boolean;
  readonly status: 'healthy' | 'degraded';
  readonly subsystem?: 'ota' | 'stripe' | 'provisioning' | undefined;
  readonly timestamp: string;
  readonly latencyMs: number;
  readonly checks: ReadonlyArray<{
    readonly name: string;
    readonly ok: boolean;
    readonly latencyMs: number;
    readonly error?: 'timeout' | 'unavailable' | 'not_configured' | undefined;
  }>;
};

/** Answer of `GET /health/stripe`. */
export type HealthStripeAnswer = {
  readonly ok: boolean;
  readonly status: 'healthy' | 'degraded';
  readonly subsystem?: 'ota' | 'stripe' | 'provisioning' | undefined;
  readonly timestamp: string;
  readonly latencyMs: number;
  readonly checks: ReadonlyArray<{
    readonly name: string;
    readonly ok: boolean;
    readonly latencyMs: number;
    readonly error?: 'timeout' | 'unavailable' | 'not_configured' | undefined;
  }>;
  readonly webhooks: {
    readonly lastEventAt: string | null;
    readonly lastEventAgeSeconds: number | null;
    readonly failedEvents: number;
    readonly keptEvents: number;
  } | null;
};

/** Answer of `GET /health/provision`. */
export type HealthProvisionAnswer = {
  readonly ok: boolean;
  readonly status: 'healthy' | 'degraded';
  readonly subsystem?: 'ota' | 'stripe' | 'provisioning' | undefined;
  readonly timestamp: string;
  readonly latencyMs: number;
  readonly checks: ReadonlyArray<{
    readonly name: string;
    readonly ok: boolean;
    readonly latencyMs: number;
    readonly error?: 'timeout' | 'unavailable' | 'not_configured' | undefined;
  }>;
};

/** The API routes that an app calls. */
export interface AppApi {
  /** The signed-in user and their profile. Read-only. Times are RFC 3339; `createdAt` is null when the user pool does not answer. */
  getProfile(options?: CallOptions): Promise<GetProfileAnswer>;
  /** Changes profile fields. Only the fields sent change. An empty string clears a field; unknown fields are rejected. Answers like `/getProfile`. `displayName` and `photoURL` are mirrored to the user pool as `name` and `picture`. */
  updateProfile(input: UpdateProfileInput, options?: CallOptions): Promise<UpdateProfileAnswer>;
  /** The app's saved state. `state` is null and `docVersion` 0 for a user who never saved one. */
  getUserState(options?: CallOptions): Promise<GetUserStateAnswer>;
  /** Saves the app's state. Replaces the whole document, at most 512 KiB of JSON. With `baseDocVersion` (the `docVersion` last read, or 0), a save that would overwrite a newer state is rejected: 409 `optimistic_lock_failed`, with the newer state in `details.current`. */
  saveUserState(input: SaveUserStateInput, options?: CallOptions): Promise<SaveUserStateAnswer>;
  /** Deletes the account and all data about the user. Revokes the user's phones and hubs, cancels the subscription, removes what devices told and were told, releases them, removes every record, then the login. What the archive has of the account leaves it within three days. Needs a sign-in within the last 10 minutes. Can be repeated after any failure and finishes what is left; in the meantime all other calls of the user get 410. */
  deleteMyAccount(input: DeleteMyAccountInput, options?: CallOptions): Promise<DeleteMyAccountAnswer>;
  /** Downloads all data about the user. Profile, state, devices, usage, billing, phones and hubs with what they shared, as stored, plus the entry in the user pool. A stream with `complete: false` has more events than fit: `/relay/streams/{stream}/events` has them by pages. Of a device with `complete: false` the newest telemetry is here; `/telemetry/devices/{serial}/series` has the rest. Payments are stored at Stripe; the billing portal has the invoices. */
  exportMyData(options?: CallOptions): Promise<ExportMyDataAnswer>;
  /** Whether the user is premium, and until when. Premium means `active` or `trialing`; `status` is Stripe’s, or `none`. Stripe gets 3 s to answer; after that, the stored snapshot is returned, with `source: snapshot`, `stale: true` and its age. For a user without a stored customer whose token carries a verified e-mail, the customer is searched by e-mail, at most once an hour: `source: stripe_recovered_email` when that found one. */
  subscriptionStatus(options?: CallOptions): Promise<SubscriptionStatusAnswer>;
  /** Opens the checkout page. First-time subscribers get a trial of 7 days. `successUrl` and `cancelUrl` may use the app’s own scheme or a listed web origin; without them, the app’s scheme is used. While a page is open, the same page is returned. A user who has a subscription, even one whose payment is late, gets `already_subscribed` and manages it in the billing portal. */
  createSubscriptionCheckout(
    input?: CreateSubscriptionCheckoutInput,
    options?: CallOptions,
  ): Promise<CreateSubscriptionCheckoutAnswer>;
  /** Opens the billing portal. For users with a customer at Stripe. A user who never opened a checkout has none, and this does not create one. */
  createBillingPortalSession(
    input?: CreateBillingPortalSessionInput,
    options?: CallOptions,
  ): Promise<CreateBillingPortalSessionAnswer>;
  /** Diagnoses the plant on a photo. A form with the photo in the part `image` (JPEG, PNG, WebP or HEIC by its bytes, at most 4 MiB) or, for a larger photo, the field `upload_id` from `POST /uploads/image`. Location and time are stripped from the photo; `latitude` and `longitude` are rounded to two decimals. While Kindwise is unavailable, the plant is still identified, with `degraded: true` and `is_healthy: null`, and the use is not counted. `X-AI-Cache` says whether the answer came from the cache. */
  aiDoctor(input?: AiDoctorInput, options?: CallOptions): Promise<AiDoctorAnswer>;
  /** Identifies the plant on a photo. A form as for `/aiDoctor`. Kindwise answers, or Pl@ntNet while Kindwise is failing, slow or out of credits; `provider` says which. GBIF’s names are added if they arrive within 2 s. */
  plantId(input?: PlantIdInput, options?: CallOptions): Promise<PlantIdAnswer>;
  /** Asks a follow-up question about a photo. Only for the user who sent the photo; counted separately. About twenty questions per photo are answered. */
  aiDoctorFollowUp(input: AiDoctorFollowUpInput, options?: CallOptions): Promise<AiDoctorFollowUpAnswer>;
  /** Prepares the upload of a large photo. A request carries at most 4 MiB. A photo of up to 25 MiB goes to the bucket first: PUT it to `upload_url` with exactly the `upload_headers` within `upload_expires_in` seconds, then send `upload_id` instead of the part `image`. Only the user who requested the upload can use it, until it has been answered. Unused uploads are removed after a day. */
  uploadsImage(input: UploadsImageInput, options?: CallOptions): Promise<UploadsImageAnswer>;
  /** Usage of each feature. Days and months are UTC; `resetsAt` is when the next day begins. A limit of -1 means unlimited. */
  usage(options?: CallOptions): Promise<UsageAnswer>;
  /** Health of aiDoctor. 503 while Kindwise is unavailable: diagnoses have no fallback. The state is that of each provider's circuit breaker, shared by all containers; reports are cached for 5 s. */
  aiDoctorHealth(options?: CallOptions): Promise<AiDoctorHealthAnswer>;
  /** Health of plantId. 503 only while neither provider is available. The state is that of each provider's circuit breaker, shared by all containers; reports are cached for 5 s. */
  plantIdHealth(options?: CallOptions): Promise<PlantIdHealthAnswer>;
  /** Issues a nonce for a device to sign instead of using its claim code. Valid for five minutes, for this user and device, and for one claim. Any change to the device invalidates it. Issued for any serial, so it doesn't reveal whether the device exists. */
  claimChallenge(input: ClaimChallengeInput, options?: CallOptions): Promise<ClaimChallengeAnswer>;
  /** Claims a device for the user. A device has one owner. The owner may repeat the request and gets `already_owned`; anybody else gets 409. A claim code is checked whenever it is sent, even if none is required. Where one is required, an unknown serial and a wrong code get the same answer. One person may try ten codes on one device in ten minutes, or three on a device that many people have tried. Instead of a code, a device with its own key can sign a nonce from `POST /claimChallenge`: the text `autowatering-claim-1`, the nonce and the hardware id, one per line. */
  claimDevice(input: ClaimDeviceInput, options?: CallOptions): Promise<ClaimDeviceAnswer>;
  /** Lists the user's devices. By serial, at most `limit` (1–100, default 50) per page; `next_cursor` leads to the rest. */
  myDevices(input?: MyDevicesInput, options?: CallOptions): Promise<MyDevicesAnswer>;
  /** Changes the name or settings of a device. Omitted fields stay unchanged. An empty name removes the name; `settings` are replaced as a whole. Name and settings go to the next owner on a transfer, and to a replacement unit. */
  updateDevice(input: UpdateDeviceInput, options?: CallOptions): Promise<UpdateDeviceAnswer>;
  /** Releases a device from its owner. Removes it from the owner's list. It can then be claimed again. */
  unclaimDevice(input: UnclaimDeviceInput, options?: CallOptions): Promise<UnclaimDeviceAnswer>;
  /** Transfers a device to another user. The owner sends `{ serial }` and gets a `transfer_code` to pass on, shown once and valid for 24 hours; `cancel: true` withdraws it. The next owner sends `{ serial, transfer_code }` and gets the device with its name and settings. Until then it stays with its owner. Any problem with a code returns 403 `transfer_invalid`. */
  transferDevice(input: TransferDeviceInput, options?: CallOptions): Promise<TransferDeviceAnswer>;
  /** Compares the devices a phone sees with those the cloud knows. One answer per device seen, in the same order, and the owned devices that were not seen. Send the `hw_id`: a `serial` alone only finds the user's own devices. See `docs/device-reconciliation.md` for the rules. Changes only the recorded firmware of the user's own devices. A `firmware_version` that can’t be understood is not recorded, and listed in `not_understood`. */
  reconcileDevices(input: ReconcileDevicesInput, options?: CallOptions): Promise<ReconcileDevicesAnswer>;
  /** Returns the firmware the device should run. The newest release the device may have: published, for its place in the rollout or on the allow-list, and installable over `current_version` by `bootloader_version`. `update_available` is true when it is an update. Otherwise `reason` says why not; `withheld` names the newest release the device may not have. Without a device only releases for everybody are offered; a `serial` without `hw_id` works for the owner of the device. `artifact.image_hash` is the image's hash as mcumgr reports it; a device that reports it already needs no upload. `signed.payload` is the decision in base64url, signed with Ed25519 (docs/ota.md); it may be kept offline until `offer_expires_at`. A changed release is visible within a second; the download URL is valid for 15 minutes. A version that can’t be understood counts as unknown and is listed in `not_understood`. */
  otaLatest(input?: OtaLatestInput, options?: CallOptions): Promise<OtaLatestAnswer>;
  /** Issues a fresh download URL for a published release. Valid for 15 minutes. Returns 404 for drafts, for paused, halted or withdrawn releases, and for those whose rollout hasn't reached this device. Name the device by `hw_id`, or by `serial` as its owner. */
  otaReleasesDownloadUrl(
    input: OtaReleasesDownloadUrlInput,
    options?: CallOptions,
  ): Promise<OtaReleasesDownloadUrlAnswer>;
  /** Reports the progress of an update. One report, or a batch `{ reports: [ … ] }` of up to 100 collected offline, oldest first. Each is recorded once per `attempt_id` and `status`; repeating it changes nothing. In a batch every report has its own result; a single report that is refused is an error. `error_code` says why the update failed: codes that contain integrity, hash, checksum, signature, self-test, boot or watchdog count against the release, as does `reverted`; a lost link does not. With a `receipt`, signed by the device over the offer's nonce, a confirmed version is proven: `verified`. A version that can't be understood counts as unknown and is listed in `not_understood`. */
  otaReports(input: OtaReportsInput, options?: CallOptions): Promise<OtaReportsAnswer>;
  /** Takes a lease on a device, so that only one phone flashes it. For ten minutes. The same `phone_id` renews it by repeating the request, and releases it with `release: true`. While one phone holds the lease, others get 409 `lease_held` with `details.expires_at`. */
  otaLease(input: OtaLeaseInput, options?: CallOptions): Promise<OtaLeaseAnswer>;
  /** Lists the public keys behind `signed` in `/ota/latest`. For building the app. A phone must ship with these keys and never fetch them from here to verify an answer. There are several while keys rotate (docs/ota.md). */
  otaSigningKeys(options?: CallOptions): Promise<OtaSigningKeysAnswer>;
  /** Registers a phone, tablet, desktop or hub by its key. The `proof` shows that the private key is at hand: an Ed25519 signature over uid, `public_key` and `time` (docs/relay.md), where `time` is at most 5 minutes off. A hub gives key and proof to the phone that registers it. The same key again is the same peer, unchanged: 200. The key of another account, or of a revoked peer, is 409 `key_in_use`. Names are unique within the account, ignoring case. An account has at most 20 active peers. `relay_url` is where peers connect. Times are milliseconds since 1970. */
  postRelayPeers(input: PostRelayPeersInput, options?: CallOptions): Promise<PostRelayPeersAnswer>;
  /** Lists the account's peers. The active ones, oldest first, with presence and how far each has read every stream (`cursors`). With `revoked=true` also those that were revoked within a year. Times are milliseconds since 1970. */
  getRelayPeers(input?: GetRelayPeersInput, options?: CallOptions): Promise<GetRelayPeersAnswer>;
  /** Renames a peer. The others are told. A peer of another account is as one that does not exist. */
  postRelayPeersByPeerId(
    input: PostRelayPeersByPeerIdInput,
    options?: CallOptions,
  ): Promise<PostRelayPeersByPeerIdAnswer>;
  /** Revokes a peer for good. Its session ends, its tokens open nothing any more, and its key is never accepted again; the device needs a new one to come back. With its own token a peer may revoke only itself. */
  relayPeersRevoke(input: RelayPeersRevokeInput, options?: CallOptions): Promise<RelayPeersRevokeAnswer>;
  /** Lists the relay's public keys. As a JSON Web Key Set (RFC 7517). They sign access tokens and, in the handshake, the relay itself: `kid` is its `server_key_id`. Two while they rotate. May be cached for 5 minutes. */
  wellKnownJwksJson(options?: CallOptions): Promise<WellKnownJwksJsonAnswer>;
  /** Lists the account's streams. With the `head`, the seq of the newest event, in the `epoch` that it counts in. `bytes` may still count events that have expired. Times are milliseconds since 1970. */
  getRelayStreams(options?: CallOptions): Promise<GetRelayStreamsAnswer>;
  /** Sets for how long a stream keeps its events. For events from now on, in days; 90 by default. */
  postRelayStreamsByStream(
    input: PostRelayStreamsByStreamInput,
    options?: CallOptions,
  ): Promise<PostRelayStreamsByStreamAnswer>;
  /** Deletes a stream with all its events. The next event makes it anew, in another epoch. With very many events `complete` is false: some are left, which nobody sees, and deleting it again goes on. */
  relayStreamsDelete(input: RelayStreamsDeleteInput, options?: CallOptions): Promise<RelayStreamsDeleteAnswer>;
  /** Reads a stream's events. Those behind the seq `after` (0 by default) in order, at most `limit` (1–1000, default 100) and about 90 KB. With a `continuation` there are more: ask again with it, and with the same `epoch` and `limit`. Without `epoch`, the stream's own counts. 409 `stream_reset`: the epoch is another, or events behind `after` are gone; `details` has the `epoch`, its `head`, and the `oldest` event that is left. */
  getRelayStreamsByStreamEvents(
    input: GetRelayStreamsByStreamEventsInput,
    options?: CallOptions,
  ): Promise<GetRelayStreamsByStreamEventsAnswer>;
  /** Publishes events to a stream, once, however often it is sent. For a peer with its own token, which is their author. 1 to 20 events; all are stored or none. `client_seq` is the first one’s number among those of this peer in this stream and epoch, on every way that it publishes. With `if_seq`, 409 `conflict` when another event came first: `details` has the `event` and the `seq` to publish against. 409 `client_seq_expected`: a number is missing or was used; `details.expected`. */
  postRelayStreamsByStreamEvents(
    input: PostRelayStreamsByStreamEventsInput,
    options?: CallOptions,
  ): Promise<PostRelayStreamsByStreamEventsAnswer>;
  /** Takes what a phone or hub read from a device. Raw rows as read over BLE, live samples, and sessions: runs that somebody watched. Up to 4000 rows, 500 samples and 100 sessions at once; each ring’s read whole and in one entry of `reads`. What is known already changes nothing, whoever read it: repeat an upload whose answer was lost. Of an hour or day that the device rewrites, the version that was read last counts. Rows with an epoch before 2024 come from a device that lost its clock: they are kept under the time they were first read. What can’t be is refused by its place and a code, and the rest is kept. A phone whose clock is off by more than five minutes is corrected by the difference between `sent_at` and our clock. `uptime` with the source `diagnostics`, or a sample of `diagnostics`, tells when the device started. `time_zone` counts until the owner has set one. `next` says what to read at the next visit. A body may be sent with `Content-Encoding: gzip`; its `Content-Type` should then be `application/vnd.autowatering+json`, because API Gateway takes `application/json` for text. The limit is of what was taken in of the device, from all of the owner’s phones and hubs together. */
  telemetry(input: TelemetryInput, options?: CallOptions): Promise<TelemetryAnswer>;
  /** Reads the time zones that the owner’s days and months are in. Null and none while nobody has said one: days are those of UTC then. */
  getTelemetrySettings(options?: CallOptions): Promise<GetTelemetrySettingsAnswer>;
  /** Sets the time zone that the owner’s days and months are in from now on. What was before stays in the days it was counted in. The first zone also holds for the past if no device has told anything yet. A name of the IANA database, such as `Europe/Bucharest`. */
  postTelemetrySettings(input: PostTelemetrySettingsInput, options?: CallOptions): Promise<PostTelemetrySettingsAnswer>;
  /** Lists a device's watering runs, the newest first. Those that began between `from` and `to` (by default the 30 days until now, at most 400), at most `limit` (1–100, default 50) per page; `next_cursor` leads to the rest. A run is put together from what the device and the phones told, `rests_on`; what comes later may change it. A run that ends by itself leaves no row: unless somebody watched it, its outcome is `outcome_unknown`, and nothing is called `completed` that nobody saw. `volume` is `measured` by the flow meter while somebody watched (`is_minimum`: more may have flowed unseen), or `estimated` by the device’s whole litres, or by the usual flow of the zone in that month, or `unknown`. With `is_clock_lost`, `started_at` is when the row was received. */
  telemetryDevicesRuns(input: TelemetryDevicesRunsInput, options?: CallOptions): Promise<TelemetryDevicesRunsAnswer>;
  /** Reads what a device measured, and what it watered, over time. `measure` from `from` to `to` (by default the 30 days until now; at most 400 days by hour and for `flow`, 4000 otherwise) by `resolution`, `day` by default. Days, months and years are the owner’s, in the time zone that held at the time, and whole: all that the time touches. A day may have 23 or 25 hours. Times of which nothing is known have no point. At most 2000 points: of more (`points_in_all`), the lowest and the highest of equal stretches are kept, so sums are then no longer those of the time. `basis` is the weakest of all that a point sums up. Rain and weather are `estimated` where hours or days are missing, and where the device’s own day stands for the owner’s; months and years are made of the device’s days, which begin some hours apart. With `unknown`, some runs’ litres are not known (`runs_without_volume`), and `value` is what is known, null if nothing is. `litres` count where a run began. `flow` is of runs that were watched from start to end. `channel` is for `litres` and `flow`. */
  telemetryDevicesSeries(
    input: TelemetryDevicesSeriesInput,
    options?: CallOptions,
  ): Promise<TelemetryDevicesSeriesAnswer>;
  /** Sums up what a device watered and measured. Over the owner’s days from `from` to `to` (by default the 30 days until now, at most 4000). `success_share` is of the runs whose end is known, `litres` and `mean_litres` of those whose litres are known; they are null where nothing is. `busiest_hour` is of the owner’s clock, and of the whole months. Rain, temperature and humidity are those of the device’s own days, and of the hours since the last that is over; a day of which nothing is known ends a dry spell. `busiest_channel` is the one with the most runs. */
  telemetryDevicesSummary(
    input: TelemetryDevicesSummaryInput,
    options?: CallOptions,
  ): Promise<TelemetryDevicesSummaryAnswer>;
  /** Tells what a device's evidence says: leaks, locks, litres, savings. What was so between `from` and `to` (by default the 30 days until now, at most 400), as seen from `to`: the worst kinds first, at most 200. `until_at` is null while it goes on; what nobody saw end was over when it was last seen. `rests_on` names the evidence, `is_estimate` says whether figures are estimated, `facts` are figures and short words by kind, such as `retry_at` of a `lock`, `litres` of `saved`, `percent` of `high_use`. Nothing is said where the evidence is thin: no insight does not mean that all is well. */
  telemetryDevicesInsights(
    input: TelemetryDevicesInsightsInput,
    options?: CallOptions,
  ): Promise<TelemetryDevicesInsightsAnswer>;
  /** Gives a device a command, which a phone or hub near it carries. The same `command_key` with the same intent is the same command, however often it is sent; with another one, 409 `command_key_used`. It expires after `expires_in_seconds` (30 to 86,400, default 600) unless somebody carried it by then. `stop` overtakes everything and cancels watering that was asked for before. 409 `limit_reached`: `details.limit` is `open_commands`, or one of the account’s limits with the `most` it allows and what is `used`. */
  postDevicesBySerialCommands(
    input: PostDevicesBySerialCommandsInput,
    options?: CallOptions,
  ): Promise<PostDevicesBySerialCommandsAnswer>;
  /** Lists a device's commands. Newest first, at most `limit` (1–100, default 50) per page; `next_cursor` leads to the rest. They are kept for 90 days after their end. */
  getDevicesBySerialCommands(
    input: GetDevicesBySerialCommandsInput,
    options?: CallOptions,
  ): Promise<GetDevicesBySerialCommandsAnswer>;
  /** Shows a command and who did what with it. `audit` lists each step, with its time and who took it. */
  getDevicesBySerialCommandsByCommandId(
    input: GetDevicesBySerialCommandsByCommandIdInput,
    options?: CallOptions,
  ): Promise<GetDevicesBySerialCommandsByCommandIdAnswer>;
  /** Cancels a command that nobody carries. One that was cancelled already stays so. 409 `lease_held` while somebody carries it, until `details.expires_at`; watering can be stopped by a `stop` then. 409 `command_ended` when it has ended otherwise. With `may_have_been_written` the device may have been told before. */
  devicesCommandsCancel(input: DevicesCommandsCancelInput, options?: CallOptions): Promise<DevicesCommandsCancelAnswer>;
  /** Asks what may be carried to the devices in range. For up to 20 devices: the command that may be taken now, if any. A serial that is not of the account is left out. `changes_at` is when to ask again although nothing is announced; null: when something is. */
  commandsOffers(input: CommandsOffersInput, options?: CallOptions): Promise<CommandsOffersAnswer>;
  /** Takes a command to carry it, or renews the lease. For one carrier, until `leased_until`; asking again with the same `attempt_id` renews it. Write to the device only while it lasts. With `must_look` somebody may have written already: look before writing. `fence` goes into every report. 409 `lease_held`: another one has it, or the same one in another try; `command_not_next`: another command comes before it, or it has to wait; `command_ended`. */
  devicesCommandsLease(input: DevicesCommandsLeaseInput, options?: CallOptions): Promise<DevicesCommandsLeaseAnswer>;
  /** Says what became of a command. `delivered`: the device accepted the writes. `seen`: and what was `observed` shows that it does it; the service judges, and `is_done` says so. `nothing_seen`: it was watched for its time and did nothing; of a run, its history without such a start is needed to tell (as before writing again), or it counts as unclear. `refused`: by an ATT error. `unclear`: it may have been written before, and looking does not tell. `gave_up`: whether something may have been written. What comes after the lease is kept (`recorded: late`) and decides nothing, except evidence. `look_again_after`: for a stop, until then a run that it overtook may still be started; take it again then, and look. */
  devicesCommandsReport(input: DevicesCommandsReportInput, options?: CallOptions): Promise<DevicesCommandsReportAnswer>;
  /** Shows how much water may be asked for from afar. The standard is 120 minutes or 300 litres a run, and 240 minutes or 600 litres a day and channel. */
  getCommandsSettings(options?: CallOptions): Promise<GetCommandsSettingsAnswer>;
  /** Sets how much water may be asked for from afar. Whatever is left out stays. They apply to commands given from then on, not to schedules on the device. */
  postCommandsSettings(input?: PostCommandsSettingsInput, options?: CallOptions): Promise<PostCommandsSettingsAnswer>;
  /** Lists what the account was told of. Newest first, for 90 days; one message per cause, however often it was reported. `title` and `body` are in the owner’s language; `kind`, `topic` and `facts` are for apps that say it themselves. `at` is when it happened, `created_at` when this service heard of it, in milliseconds since 1970. At most `limit` (1–100, default 30) per page; `next_cursor` leads to the rest. `unread` counts up to 100. */
  notifications(input?: NotificationsInput, options?: CallOptions): Promise<NotificationsAnswer>;
  /** Marks messages as read. By `notification_ids`, or all that were created up to `until` (milliseconds since 1970). What was held back for quiet hours or the digest is not sent any more once it is read; critical messages are sent in any case. */
  notificationsRead(input: NotificationsReadInput, options?: CallOptions): Promise<NotificationsReadAnswer>;
  /** How the owner is told of what happens. By kind of message and channel, with the owner’s choices filled up by the standard. `language` and `time_zone` are null until chosen: then the profile’s language counts, or English, and the zone of `/telemetry/settings`, or UTC. A channel with `configured: false` is off in this environment. `public_key` is what a browser subscribes with (`applicationServerKey`). */
  getNotificationsSettings(options?: CallOptions): Promise<GetNotificationsSettingsAnswer>;
  /** Changes how the owner is told. Only what is sent changes; null goes back to the standard, or turns quiet hours or the digest off. Times are local, by `time_zone`. In quiet hours only critical messages are sent; the others follow when they end. With `digest_at`, messages of little urgency (severity `info` and `warning`) are sent together once a day. */
  postNotificationsSettings(
    input?: PostNotificationsSettingsInput,
    options?: CallOptions,
  ): Promise<PostNotificationsSettingsAnswer>;
  /** Sends a test message by every channel. To the account’s own browsers, apps and mailbox, within moments; quiet hours do not hold it back. */
  notificationsTest(options?: CallOptions): Promise<NotificationsTestAnswer>;
  /** Has pushes sent to this browser or app. For a browser, its `PushSubscription` as JSON (`toJSON()`), and `type: web_push` beside it; `endpoint` must be an address of a browser’s push service. For an app, the token it got from Apple or Google. The same again changes nothing. A browser or app belongs to the account that signed in there last. An account has at most 20; the oldest gives way. */
  postNotificationsSubscriptions(
    input?: PostNotificationsSubscriptionsInput,
    options?: CallOptions,
  ): Promise<PostNotificationsSubscriptionsAnswer>;
  /** Lists the browsers and apps that get pushes. Oldest first. One that its push service no longer knows disappears with the next message. */
  getNotificationsSubscriptions(options?: CallOptions): Promise<GetNotificationsSubscriptionsAnswer>;
  /** Sends no more pushes to a browser or app. Before somebody signs out there. Not open to peers: a stolen hub must not silence its owner. One that is not there counts as removed. */
  notificationsSubscriptionsRemove(
    input: NotificationsSubscriptionsRemoveInput,
    options?: CallOptions,
  ): Promise<NotificationsSubscriptionsRemoveAnswer>;
  /** Whether the service answers. Checks no dependency. */
  health(options?: CallOptions): Promise<HealthAnswer>;
  /** Whether everything the product needs answers. 200 when everything answers, else 503 with the same body. Every check has its own time limit; results are cached for 5 s. */
  healthDeep(options?: CallOptions): Promise<HealthDeepAnswer>;
  /** Whether updates can be offered and downloaded. 200 when everything answers, else 503 with the same body. Every check has its own time limit; results are cached for 5 s. */
  healthOta(options?: CallOptions): Promise<HealthOtaAnswer>;
  /** Whether payments can be taken. Like the other reports, plus the state of the webhook: when the last event arrived, how many failed and need a replay, and how many wait until their customer has an owner. Counts stop at 1000. */
  healthStripe(options?: CallOptions): Promise<HealthStripeAnswer>;
  /** Whether devices can be provisioned. 200 when everything answers, else 503 with the same body. Every check has its own time limit; results are cached for 5 s. */
  healthProvision(options?: CallOptions): Promise<HealthProvisionAnswer>;
}

/** Implements all routes with `call`. */
export function appApi(call: Call): AppApi {
  return {
    getProfile: (options) =>
      call({ method: 'GET', path: '/getProfile', auth: 'cognito', repeatable: true }, {}, options),
    updateProfile: (input, options) =>
      call({ method: 'POST', path: '/updateProfile', auth: 'cognito', repeatable: true, body: 'json' }, input, options),
    getUserState: (options) =>
      call({ method: 'GET', path: '/getUserState', auth: 'cognito', repeatable: true }, {}, options),
    saveUserState: (input, options) =>
      call(
        { method: 'POST', path: '/saveUserState', auth: 'cognito', repeatable: false, body: 'json' },
        input,
        options,
      ),
    deleteMyAccount: (input, options) =>
      call(
        { method: 'POST', path: '/deleteMyAccount', auth: 'cognito', repeatable: true, body: 'json' },
        input,
        options,
      ),
    exportMyData: (options) =>
      call({ method: 'GET', path: '/exportMyData', auth: 'cognito', repeatable: true }, {}, options),
    subscriptionStatus: (options) =>
      call({ method: 'GET', path: '/subscriptionStatus', auth: 'cognito', repeatable: true }, {}, options),
    createSubscriptionCheckout: (input, options) =>
      call(
        { method: 'POST', path: '/createSubscriptionCheckout', auth: 'cognito', repeatable: false, body: 'json' },
        input,
        options,
      ),
    createBillingPortalSession: (input, options) =>
      call(
        { method: 'POST', path: '/createBillingPortalSession', auth: 'cognito', repeatable: false, body: 'json' },
        input,
        options,
      ),
    aiDoctor: (input, options) =>
      call({ method: 'POST', path: '/aiDoctor', auth: 'cognito', repeatable: false, body: 'form' }, input, options),
    plantId: (input, options) =>
      call({ method: 'POST', path: '/plantId', auth: 'cognito', repeatable: false, body: 'form' }, input, options),
    aiDoctorFollowUp: (input, options) =>
      call(
        { method: 'POST', path: '/aiDoctor/followUp', auth: 'cognito', repeatable: false, body: 'json' },
        input,
        options,
      ),
    uploadsImage: (input, options) =>
      call(
        { method: 'POST', path: '/uploads/image', auth: 'cognito', repeatable: false, body: 'json' },
        input,
        options,
      ),
    usage: (options) => call({ method: 'GET', path: '/usage', auth: 'cognito', repeatable: true }, {}, options),
    aiDoctorHealth: (options) =>
      call(
        { method: 'GET', path: '/aiDoctorHealth', auth: 'public', repeatable: true, answers: [200, 503] },
        {},
        options,
      ),
    plantIdHealth: (options) =>
      call(
        { method: 'GET', path: '/plantIdHealth', auth: 'public', repeatable: true, answers: [200, 503] },
        {},
        options,
      ),
    claimChallenge: (input, options) =>
      call(
        { method: 'POST', path: '/claimChallenge', auth: 'cognito', repeatable: true, body: 'json' },
        input,
        options,
      ),
    claimDevice: (input, options) =>
      call({ method: 'POST', path: '/claimDevice', auth: 'cognito', repeatable: true, body: 'json' }, input, options),
    myDevices: (input, options) =>
      call(
        { method: 'GET', path: '/myDevices', auth: 'cognito', repeatable: true, query: ['limit', 'cursor'] },
        input,
        options,
      ),
    updateDevice: (input, options) =>
      call({ method: 'POST', path: '/updateDevice', auth: 'cognito', repeatable: true, body: 'json' }, input, options),
    unclaimDevice: (input, options) =>
      call(
        { method: 'POST', path: '/unclaimDevice', auth: 'cognito', repeatable: false, body: 'json' },
        input,
        options,
      ),
    transferDevice: (input, options) =>
      call(
        { method: 'POST', path: '/transferDevice', auth: 'cognito', repeatable: false, body: 'json' },
        input,
        options,
      ),
    reconcileDevices: (input, options) =>
      call(
        { method: 'POST', path: '/reconcileDevices', auth: 'cognito', repeatable: true, body: 'json' },
        input,
        options,
      ),
    otaLatest: (input, options) =>
      call(
        {
          method: 'GET',
          path: '/ota/latest',
          auth: 'cognito-optional',
          repeatable: true,
          query: ['board', 'channel', 'serial', 'hw_id', 'current_version', 'bootloader_version'],
        },
        input,
        options,
      ),
    otaReleasesDownloadUrl: (input, options) =>
      call(
        {
          method: 'GET',
          path: '/ota/releases/{version}/download-url',
          auth: 'cognito-optional',
          repeatable: true,
          query: ['board', 'channel', 'serial', 'hw_id'],
        },
        input,
        options,
      ),
    otaReports: (input, options) =>
      call({ method: 'POST', path: '/ota/reports', auth: 'cognito', repeatable: true, body: 'json' }, input, options),
    otaLease: (input, options) =>
      call({ method: 'POST', path: '/ota/lease', auth: 'cognito', repeatable: true, body: 'json' }, input, options),
    otaSigningKeys: (options) =>
      call({ method: 'GET', path: '/ota/signing-keys', auth: 'public', repeatable: true }, {}, options),
    postRelayPeers: (input, options) =>
      call({ method: 'POST', path: '/relay/peers', auth: 'cognito', repeatable: true, body: 'json' }, input, options),
    getRelayPeers: (input, options) =>
      call(
        { method: 'GET', path: '/relay/peers', auth: 'cognito', repeatable: true, query: ['revoked'] },
        input,
        options,
      ),
    postRelayPeersByPeerId: (input, options) =>
      call(
        { method: 'POST', path: '/relay/peers/{peer_id}', auth: 'cognito', repeatable: true, body: 'json' },
        input,
        options,
      ),
    relayPeersRevoke: (input, options) =>
      call(
        { method: 'POST', path: '/relay/peers/{peer_id}/revoke', auth: 'cognito', repeatable: true, body: 'json' },
        input,
        options,
      ),
    wellKnownJwksJson: (options) =>
      call({ method: 'GET', path: '/.well-known/jwks.json', auth: 'public', repeatable: true }, {}, options),
    getRelayStreams: (options) =>
      call({ method: 'GET', path: '/relay/streams', auth: 'cognito', repeatable: true }, {}, options),
    postRelayStreamsByStream: (input, options) =>
      call(
        { method: 'POST', path: '/relay/streams/{stream}', auth: 'cognito', repeatable: true, body: 'json' },
        input,
        options,
      ),
    relayStreamsDelete: (input, options) =>
      call(
        { method: 'POST', path: '/relay/streams/{stream}/delete', auth: 'cognito', repeatable: false, body: 'json' },
        input,
        options,
      ),
    getRelayStreamsByStreamEvents: (input, options) =>
      call(
        {
          method: 'GET',
          path: '/relay/streams/{stream}/events',
          auth: 'cognito',
          repeatable: true,
          query: ['epoch', 'after', 'limit', 'continuation'],
        },
        input,
        options,
      ),
    postRelayStreamsByStreamEvents: (input, options) =>
      call(
        { method: 'POST', path: '/relay/streams/{stream}/events', auth: 'cognito', repeatable: true, body: 'json' },
        input,
        options,
      ),
    telemetry: (input, options) =>
      call({ method: 'POST', path: '/telemetry', auth: 'cognito', repeatable: true, body: 'json' }, input, options),
    getTelemetrySettings: (options) =>
      call({ method: 'GET', path: '/telemetry/settings', auth: 'cognito', repeatable: true }, {}, options),
    postTelemetrySettings: (input, options) =>
      call(
        { method: 'POST', path: '/telemetry/settings', auth: 'cognito', repeatable: true, body: 'json' },
        input,
        options,
      ),
    telemetryDevicesRuns: (input, options) =>
      call(
        {
          method: 'GET',
          path: '/telemetry/devices/{serial}/runs',
          auth: 'cognito',
          repeatable: true,
          query: ['from', 'to', 'channel', 'limit', 'cursor'],
        },
        input,
        options,
      ),
    telemetryDevicesSeries: (input, options) =>
      call(
        {
          method: 'GET',
          path: '/telemetry/devices/{serial}/series',
          auth: 'cognito',
          repeatable: true,
          query: ['from', 'to', 'measure', 'resolution', 'channel'],
        },
        input,
        options,
      ),
    telemetryDevicesSummary: (input, options) =>
      call(
        {
          method: 'GET',
          path: '/telemetry/devices/{serial}/summary',
          auth: 'cognito',
          repeatable: true,
          query: ['from', 'to'],
        },
        input,
        options,
      ),
    telemetryDevicesInsights: (input, options) =>
      call(
        {
          method: 'GET',
          path: '/telemetry/devices/{serial}/insights',
          auth: 'cognito',
          repeatable: true,
          query: ['from', 'to'],
        },
        input,
        options,
      ),
    postDevicesBySerialCommands: (input, options) =>
      call(
        { method: 'POST', path: '/devices/{serial}/commands', auth: 'cognito', repeatable: true, body: 'json' },
        input,
        options,
      ),
    getDevicesBySerialCommands: (input, options) =>
      call(
        {
          method: 'GET',
          path: '/devices/{serial}/commands',
          auth: 'cognito',
          repeatable: true,
          query: ['limit', 'cursor'],
        },
        input,
        options,
      ),
    getDevicesBySerialCommandsByCommandId: (input, options) =>
      call(
        { method: 'GET', path: '/devices/{serial}/commands/{command_id}', auth: 'cognito', repeatable: true },
        input,
        options,
      ),
    devicesCommandsCancel: (input, options) =>
      call(
        {
          method: 'POST',
          path: '/devices/{serial}/commands/{command_id}/cancel',
          auth: 'cognito',
          repeatable: true,
          body: 'json',
        },
        input,
        options,
      ),
    commandsOffers: (input, options) =>
      call(
        { method: 'POST', path: '/commands/offers', auth: 'cognito', repeatable: true, body: 'json' },
        input,
        options,
      ),
    devicesCommandsLease: (input, options) =>
      call(
        {
          method: 'POST',
          path: '/devices/{serial}/commands/{command_id}/lease',
          auth: 'cognito',
          repeatable: true,
          body: 'json',
        },
        input,
        options,
      ),
    devicesCommandsReport: (input, options) =>
      call(
        {
          method: 'POST',
          path: '/devices/{serial}/commands/{command_id}/report',
          auth: 'cognito',
          repeatable: true,
          body: 'json',
        },
        input,
        options,
      ),
    getCommandsSettings: (options) =>
      call({ method: 'GET', path: '/commands/settings', auth: 'cognito', repeatable: true }, {}, options),
    postCommandsSettings: (input, options) =>
      call(
        { method: 'POST', path: '/commands/settings', auth: 'cognito', repeatable: true, body: 'json' },
        input,
        options,
      ),
    notifications: (input, options) =>
      call(
        { method: 'GET', path: '/notifications', auth: 'cognito', repeatable: true, query: ['limit', 'cursor'] },
        input,
        options,
      ),
    notificationsRead: (input, options) =>
      call(
        { method: 'POST', path: '/notifications/read', auth: 'cognito', repeatable: true, body: 'json' },
        input,
        options,
      ),
    getNotificationsSettings: (options) =>
      call({ method: 'GET', path: '/notifications/settings', auth: 'cognito', repeatable: true }, {}, options),
    postNotificationsSettings: (input, options) =>
      call(
        { method: 'POST', path: '/notifications/settings', auth: 'cognito', repeatable: true, body: 'json' },
        input,
        options,
      ),
    notificationsTest: (options) =>
      call(
        { method: 'POST', path: '/notifications/test', auth: 'cognito', repeatable: false, body: 'json' },
        {},
        options,
      ),
    postNotificationsSubscriptions: (input, options) =>
      call(
        { method: 'POST', path: '/notifications/subscriptions', auth: 'cognito', repeatable: true, body: 'json' },
        input,
        options,
      ),
    getNotificationsSubscriptions: (options) =>
      call({ method: 'GET', path: '/notifications/subscriptions', auth: 'cognito', repeatable: true }, {}, options),
    notificationsSubscriptionsRemove: (input, options) =>
      call(
        {
          method: 'POST',
          path: '/notifications/subscriptions/{subscription_id}/remove',
          auth: 'cognito',
          repeatable: true,
          body: 'json',
        },
        input,
        options,
      ),
    health: (options) => call({ method: 'GET', path: '/health', auth: 'public', repeatable: true }, {}, options),
    healthDeep: (options) =>
      call({ method: 'GET', path: '/health/deep', auth: 'public', repeatable: true, answers: [200, 503] }, {}, options),
    healthOta: (options) =>
      call({ method: 'GET', path: '/health/ota', auth: 'public', repeatable: true, answers: [200, 503] }, {}, options),
    healthStripe: (options) =>
      call(
        { method: 'GET', path: '/health/stripe', auth: 'public', repeatable: true, answers: [200, 503] },
        {},
        options,
      ),
    healthProvision: (options) =>
      call(
        { method: 'GET', path: '/health/provision', auth: 'public', repeatable: true, answers: [200, 503] },
        {},
        options,
      ),
  };
}
