/** API Gateway hands a request to Lambda as base64 in at most 6 MB, so some 4.5 MB of it are the photo's at best. */
export const LARGEST_IN_REQUEST_BYTES = 4 * 1024 * 1024;
/** What goes by way of the bucket instead. */
export const LARGEST_UPLOAD_BYTES = 20 * 1024 * 1024;
