import path from 'node:path';
import type { ReleaseVersion } from '@autowatering/release-format';
import * as z from 'zod';
import { PlainError, RefusedError } from '../../../cli/plain-error.ts';
import { type TokenCall, tokenCall } from '../../../cli/target/admin-call.ts';
import { ApiCallError } from '../../../cli/target/api-client.ts';
import type { TargetOptions } from '../../../cli/target/target.ts';
import { uploadFile } from '../../../cli/target/upload-file.ts';
import { type ProgressDisplay, progressDisplay } from '../../../cli/terminal/progress-display.ts';
import { type AlarmPolicyOptions, alarmPolicyFields } from '../alarm-policy.ts';
import { type Artifact, readArtifact, refuseUnsigned } from './artifact.ts';
import { knownSteps, lastSteps, remoteSteps, showSteps } from './dry-run-steps.ts';
import { type BuildOptions, builtImage, westBuild, westCommand } from './west-build.ts';

const Upload = z.object({ upload_url: z.string(), upload_headers: z.record(z.string(), z.string()) });
const ExistsDetails = z.object({ state: z.string(), artifact_sha256: z.string(), upload: Upload.optional() });
const Published = z.object({ version: z.string(), channel: z.string(), board: z.string(), published_at: z.string() });

/** Which image to publish, how, and where. */
export interface PublishOptions extends TargetOptions, AlarmPolicyOptions {
  readonly artifactPath?: string;
  readonly version?: string;
  readonly channel: string;
  readonly board: string;
  readonly notes: string;
  readonly mandatory: boolean;
  readonly rolloutPct: number;
  readonly allowlist?: readonly string[];
  readonly minVersion?: string;
  readonly minBootloader?: string;
  readonly allowDowngrade: boolean;
  readonly haltMinReports?: number;
  readonly haltMaxFailurePct?: number;
  readonly skipBuild: boolean;
  readonly sysbuild: boolean;
  readonly pristine: boolean;
  readonly sourceDir?: string;
  readonly buildDir: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/**
 * Publishes the image given by the options, with progress on the terminal.
 *
 * @returns the release, published now or before; undefined on a dry run, which only shows the steps
 */
export async function publishImage(options: PublishOptions, signal: AbortSignal) {
  const display = progressDisplay(options.json ? 'silent' : 'people');
  const build = buildOptions(options);
  const builds = options.artifactPath === undefined && !options.skipBuild;
  if (builds && options.dryRun) {
    // Without an image, only the general steps are known.
    showSteps(options, [`build: ${westCommand(build).join(' ')}`, `read ${builtImage(build)}`, ...lastSteps(options)]);
    return undefined;
  }
  const call = await tokenCall(options, 'admin', signal, { changes: !options.dryRun });
  if (builds) await westBuild(build, signal);
  const artifact = await readArtifact(options.artifactPath ?? builtImage(build), options);
  await refuseUnsigned(call, options.board, artifact);
  if (options.dryRun) {
    showSteps(options, [...knownSteps(artifact), ...(await remoteSteps(call, options, artifact))], artifact);
    return undefined;
  }
  const { version, sha256, bytes } = artifact;

  const draft = await display.during(`Registering ${version} on ${options.channel}`, () =>
    registerDraft(call, options, artifact),
  );
  if (draft !== 'published already') await upload(draft, bytes, display, signal);
  const published = await display.during('Publishing', () => letOut(call, options, version));
  const share = options.rolloutPct === 100 ? 'everyone' : `${options.rolloutPct} %`;
  const where = `on ${published.channel} for ${published.board}`;
  // If it was published before, its rollout may have been changed since, so don't name a share.
  const state = draft === 'published already' ? `was published ${where}` : `is offered ${where} to ${share} since`;
  display.done(`${version} ${state} ${published.published_at}`);
  display.done(`${bytes.byteLength.toLocaleString('en')} bytes, SHA-256 ${sha256}`);
  return { ...published, artifact_sha256: sha256, artifact_size_bytes: bytes.byteLength };
}

function buildOptions({ sourceDir = '.', buildDir, board, sysbuild, pristine }: PublishOptions): BuildOptions {
  return { sourceDir, buildDir, board, sysbuild, pristine };
}

type Draft = z.output<typeof Upload> | 'published already';

async function registerDraft(call: TokenCall, options: PublishOptions, artifact: Artifact): Promise<Draft> {
  try {
    return await call('/ota/releases', Upload, draftBody(options, artifact));
  } catch (error) {
    if (!(error instanceof ApiCallError) || error.code !== 'release_exists') throw error;
    const existing = ExistsDetails.parse(error.details);
    if (existing.artifact_sha256 !== artifact.sha256) throw new RefusedError(error.message);
    // The same image: an earlier run was interrupted, or it is published already.
    return existing.upload ?? 'published already';
  }
}

function draftBody(options: PublishOptions, { version, bytes, sha256, file }: Artifact) {
  const { haltMinReports: minReports, haltMaxFailurePct: maxFailurePct } = options;
  const hasPolicy = minReports !== undefined || maxFailurePct !== undefined;
  return {
    version,
    channel: options.channel,
    board: options.board,
    mandatory: options.mandatory,
    notes: options.notes,
    rollout_pct: options.rolloutPct,
    allowlist: options.allowlist ?? [],
    allow_downgrade: options.allowDowngrade,
    ...(options.minVersion === undefined ? {} : { min_version: options.minVersion }),
    ...(options.minBootloader === undefined ? {} : { min_bootloader: options.minBootloader }),
    ...(hasPolicy ? { halt_policy: { min_reports: minReports ?? 20, max_failure_pct: maxFailurePct ?? 10 } } : {}),
    ...alarmPolicyFields(options),
    artifact_name: path.basename(file).replace(/[^A-Za-z0-9._-]/g, '_'),
    artifact_size_bytes: bytes.byteLength,
    artifact_sha256: sha256,
  };
}

async function letOut(call: TokenCall, { channel, board }: PublishOptions, version: ReleaseVersion) {
  try {
    return await call(`/ota/releases/${version}/publish`, Published, { channel, board });
  } catch (error) {
    const isRefusal = error instanceof ApiCallError && error.status === 409;
    throw isRefusal ? new RefusedError(error.message) : error;
  }
}

async function upload(
  draft: z.output<typeof Upload>,
  bytes: Uint8Array,
  display: ProgressDisplay,
  signal: AbortSignal,
): Promise<void> {
  const result = await display.bar(`Uploading ${bytes.byteLength.toLocaleString('en')} bytes`, bytes.byteLength, (to) =>
    uploadFile(draft.upload_url, draft.upload_headers, bytes, to, signal),
  );
  // 412: the bytes were uploaded before, by a run that was interrupted after its upload.
  if (result.status !== 200 && result.status !== 412)
    throw new PlainError(`The upload was refused with status ${result.status}: ${result.body.slice(0, 300)}`);
}
