/** API Gateway passes a request to Lambda as base64 in at most 6 MB, which leaves at most 4.5 MB for the photo. */
export const LARGEST_IN_REQUEST_BYTES = 4 * 1024 * 1024;
/** For photos uploaded through the bucket instead. */
export const LARGEST_UPLOAD_BYTES = 25 * 1024 * 1024;
/** Kindwise's maximum; it also bounds what a small file may decompress to (facts: Kindwise, "Images"). */
export const MOST_PIXELS = 25_000_000;
