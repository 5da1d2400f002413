import * as z from 'zod';
import { FUNCTION_NAMES, type Grant, grantedRights, removablePrefixes } from './granted-rights.ts';
import type { Template } from './template.ts';

/** The only allowed wildcards: what is not known beforehand, of our own bucket and WebSocket API. */
const OBJECTS = /^\{"!Sub":"\$\{ArtifactBucket\.Arn\}\/([a-z-]+\/)?\*"\}$/;
const CONNECTIONS = /^\{"!Sub":"arn:[^*]+:execute-api:[^*]+:\$\{RelayApi\}\/relay\/(POST|DELETE)\/@connections\/\*"\}$/;

/** Phones as SNS knows them, each under our own application. */
const PHONES = /^\{"!Sub":"arn:[^*]+:sns:[^*]+:endpoint\/\$\{MobilePush(Apple|Android)\}\/\*"\}$/;

/** The only statements that may allow deleting items. */
const DELETING_SIDS = new Set(['Users', 'RateLimits', 'Relay', 'Garden']);

/** Checks that each function's policy lists every action by name, on our own resources. */
export function checkPolicies(template: Template): readonly string[] {
  return FUNCTION_NAMES.flatMap((name) => {
    const grants = grantedRights(template, name);
    if (grants === undefined)
      return [`the policies of ${name} contain something other than statements and managed policies from parameters`];
    return [...grants.flatMap(checkGrant), ...checkRemovals(template, grants)];
  });
}

function checkGrant({ sid, actions, resources }: Grant): readonly string[] {
  const isWhole = (one: string) =>
    one.includes('*') && ![OBJECTS, CONNECTIONS, PHONES].some((known) => known.test(one));
  return [
    ...actions
      .filter((one) => !/^[a-z0-9-]+:[A-Za-z]+$/.test(one))
      .map((one) => `${sid} allows ${one}, which is not a single action`),
    ...(resources.some(isWhole) || resources.length === 0 ? [`${sid} allows it on everything`] : []),
    ...(actions.includes('dynamodb:Scan') ? [`${sid} allows a scan`] : []),
    ...(actions.includes('dynamodb:DeleteItem') && !DELETING_SIDS.has(sid)
      ? [`${sid} allows the deletion of items`]
      : []),
    ...(actions.includes('s3:DeleteObjectVersion') ? [`${sid} allows the deletion of versions`] : []),
  ];
}

const Lifecycle = z.object({
  Rules: z.array(
    z.object({
      Status: z.string(),
      Prefix: z.string().optional(),
      ExpirationInDays: z.number().optional(),
      ExpiredObjectDeleteMarker: z.boolean().optional(),
      NoncurrentVersionExpiration: z.object({ NoncurrentDays: z.number() }).optional(),
    }),
  ),
});

/** In a versioned bucket, deleted objects remain as versions, then as markers, unless lifecycle rules remove both. */
function checkRemovals(template: Template, grants: readonly Grant[]): readonly string[] {
  const lifecycle = Lifecycle.safeParse(template.Resources['ArtifactBucket']?.Properties['LifecycleConfiguration']);
  const rules = lifecycle.success ? lifecycle.data.Rules.filter(({ Status: status }) => status === 'Enabled') : [];
  return removablePrefixes(grants).flatMap((prefix) => {
    if (prefix === '') return ['the function can delete every object of the bucket'];
    const own = rules.filter((rule) => rule.Prefix === prefix);
    const endsVersions = own.some((rule) => rule.NoncurrentVersionExpiration !== undefined);
    // A rule that expires objects after some days also removes their markers (S3's documentation of `Expiration`).
    const endsMarkers = own.some(
      (rule) => rule.ExpiredObjectDeleteMarker === true || rule.ExpirationInDays !== undefined,
    );
    return [
      ...(endsVersions ? [] : [`versions under ${prefix} are kept forever`]),
      ...(endsMarkers ? [] : [`delete markers under ${prefix} are kept forever`]),
    ];
  });
}
