import { HwIdField, SerialField } from '../../fleet/fields.ts';

/** How a request names a device: by serial or hardware id. */
export const deviceFields = {
  serial: SerialField.optional(),
  hw_id: HwIdField.optional(),
};
