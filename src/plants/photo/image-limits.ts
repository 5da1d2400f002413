/** API Gateway hands a request to Lambda as base64 in at most 6 MB, so some 4.5 MB of it are the photo's at best. */
export const LARGEST_IN_REQUEST_BYTES = 4 * 1024 * 1024;
/** What goes by way of the bucket instead. */
export const LARGEST_UPLOAD_BYTES = 25 * 1024 * 1024;
/** Kindwise takes no more; and what a small file may unfold to must be bounded (facts: Kindwise, "Images"). */
export const MOST_PIXELS = 25_000_000;
