/** How users behave. These are assumptions, not measurements. */
export interface Behaviour {
  /** Requests per user in a month of 30 days, by the benchmark's route name. */
  readonly requestsPerMonth: Readonly<Record<string, number>>;
  /** Firmware downloads per user. */
  readonly downloadsPerMonth: number;
  readonly imageBytes: number;
  /** Photos too large for a request; they go through the bucket and are removed after a day. */
  readonly uploadsPerMonth: number;
  readonly uploadBytes: number;
  /** Stored per user and device. */
  readonly storedBytes: number;
}

const DAYS = 30;
const PREMIUM = 0.1;
const UPDATES_A_YEAR = 4;
const updates = UPDATES_A_YEAR / 12;
const PHOTOS_A_MONTH = 4;
const photos = PREMIUM * PHOTOS_A_MONTH;
const LARGE_PHOTOS = 0.1;

/** A gardener with one device opens the app twice a day, and one in ten pays for premium. */
export const GARDENER: Behaviour = {
  requestsPerMonth: {
    'GET /getProfile': DAYS,
    'GET /getUserState': 2 * DAYS,
    'POST /saveUserState': 2 * DAYS,
    'GET /myDevices': 2 * DAYS,
    'POST /reconcileDevices': DAYS,
    'GET /subscriptionStatus': DAYS,
    'GET /ota/latest, of a device': DAYS,
    'GET /ota/releases/{version}/download-url': updates,
    'POST /ota/lease': updates,
    'POST /ota/reports': 4 * updates,
    'POST /ota/reports, confirmed': updates,
    'POST /plantId': 0.75 * photos,
    'POST /aiDoctor': 0.25 * photos,
    'POST /uploads/image': LARGE_PHOTOS * photos,
    'GET /usage': photos,
    'POST /stripeWebhook': 2 * PREMIUM,
    // Every second user gets a device each year.
    'POST /provision': 0.5 / 12,
    'POST /claimDevice': 0.5 / 12,
  },
  downloadsPerMonth: updates,
  imageBytes: 720_107,
  uploadsPerMonth: LARGE_PHOTOS * photos,
  uploadBytes: 6_000_000,
  storedBytes: 8_000,
};

/** The same as prose, for the page. */
export const IN_WORDS =
  `A user has one device and opens the app twice a day. A session reads the device list and the saved state and saves it ` +
  `once; once a day the app also reads profile and subscription, reconciles its devices and checks for updates. ` +
  `There are ${UPDATES_A_YEAR} updates a year, each with a lease and five reports. One user in ten has premium, sends ` +
  `${PHOTOS_A_MONTH} photos a month (one in ten of them too large for a request) and causes two Stripe events a month. ` +
  `Every second user gets a new device each year.`;
