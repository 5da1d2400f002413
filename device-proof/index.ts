export { isSignedByDevice, parseDeviceKey } from './device-key.ts';
export { claimMessage, type Receipt, type ReceiptSlot, receiptMessage } from './messages.ts';
