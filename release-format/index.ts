export { checkImage, type GateRules, type GateVerdict, LARGEST_IMAGE } from './image-gate.ts';
export {
  formatMcubootVersion,
  MCUBOOT_HEADER_BYTES,
  MCUBOOT_MAGIC,
  type McubootHeader,
  type McubootHeaderResult,
  type McubootVersion,
  parseMcubootHeader,
  releaseVersionOf,
  releaseVersionOfReport,
} from './mcuboot-header.ts';
export {
  type ImageFault,
  imageHash,
  type ParsedImage,
  type ParseResult,
  parseImage,
  type ReadBytes,
  TLV,
  type Tlv,
} from './mcuboot-image.ts';
export { dependenciesOf, type ImageDependency, securityCounterOf } from './protected-tlvs.ts';
export {
  compareReleaseVersions,
  isPrerelease,
  LONGEST_VERSION,
  parseDeviceVersion,
  parseReleaseVersion,
  type ReleaseVersion,
  versionSortKey,
} from './release-version.ts';
export { imageFault, type SignatureAlgorithm, type TrustedKey, trustedKey } from './verify-image.ts';
