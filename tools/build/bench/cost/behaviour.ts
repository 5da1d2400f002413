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
const COMMANDS_A_MONTH = 8;

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
    // A phone that syncs every day; a new one a year reads all there is.
    'POST /telemetry': DAYS,
    'POST /telemetry, first sync': 1 / 12,
    'GET /telemetry/devices/{serial}/insights': DAYS,
    'GET /telemetry/devices/{serial}/summary': DAYS,
    'GET /telemetry/devices/{serial}/series': DAYS / 2,
    'GET /telemetry/devices/{serial}/runs': DAYS / 3,
    'POST /devices/{serial}/commands': COMMANDS_A_MONTH,
    'GET /devices/{serial}/commands/{command_id}': COMMANDS_A_MONTH,
    'POST /commands/offers': 2 * DAYS,
    'POST /devices/{serial}/commands/{command_id}/lease': COMMANDS_A_MONTH,
    'POST /devices/{serial}/commands/{command_id}/report': 2 * COMMANDS_A_MONTH,
    'GET /notifications': 2 * DAYS,
    'POST /notifications/read': 4,
    'POST /notifications/subscriptions': 1,
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
  `Every second user gets a new device each year. The phone reads the device every day and uploads that; a new phone a ` +
  `year reads all that the device has. Each day its owner looks at the summary and what is to be known, every other ` +
  `day at a chart and every third at the runs; each session looks for messages and for commands to carry, of which ` +
  `there are ${COMMANDS_A_MONTH} a month.`;
