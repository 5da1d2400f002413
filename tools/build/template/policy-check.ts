import * as z from 'zod';
import { type Grant, grantedRights, removablePrefixes } from './granted-rights.ts';
import type { Template } from './template.ts';

/** The one star there is: the objects of our bucket, or those below a prefix, whose keys nobody can list beforehand. */
const OBJECTS = /^\{"!Sub":"\$\{ArtifactBucket\.Arn\}\/([a-z-]+\/)?\*"\}$/;

/** What nobody has business deleting, or reading as a whole. */
const DELETING_SIDS = new Set(['Users', 'RateLimits']);

/** Walks the function's policy: every action by its name, on a resource of ours. */
export function checkPolicies(template: Template): readonly string[] {
  const grants = grantedRights(template);
  if (grants === undefined)
    return ['the policies hold something else than statements, and managed ones that a parameter names'];
  return [...grants.flatMap(checkGrant), ...checkRemovals(template, grants)];
}

function checkGrant({ sid, actions, resources }: Grant): readonly string[] {
  const isWhole = (one: string) => one.includes('*') && !OBJECTS.test(one);
  return [
    ...actions
      .filter((one) => !/^[a-z0-9-]+:[A-Za-z]+$/.test(one))
      .map((one) => `${sid} allows ${one}, which is no single action`),
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

/** What the function removes in a bucket with versions stays as a version, and then as a marker, unless a rule ends both. */
function checkRemovals(template: Template, grants: readonly Grant[]): readonly string[] {
  const lifecycle = Lifecycle.safeParse(template.Resources['ArtifactBucket']?.Properties['LifecycleConfiguration']);
  const rules = lifecycle.success ? lifecycle.data.Rules.filter(({ Status: status }) => status === 'Enabled') : [];
  return removablePrefixes(grants).flatMap((prefix) => {
    if (prefix === '') return ['the function may delete every object of the bucket'];
    const own = rules.filter((rule) => rule.Prefix === prefix);
    const endsVersions = own.some((rule) => rule.NoncurrentVersionExpiration !== undefined);
    // A rule that ends objects after some days removes their markers as well (S3's documentation of `Expiration`).
    const endsMarkers = own.some(
      (rule) => rule.ExpiredObjectDeleteMarker === true || rule.ExpirationInDays !== undefined,
    );
    return [
      ...(endsVersions ? [] : [`versions below ${prefix} stay for ever`]),
      ...(endsMarkers ? [] : [`delete markers below ${prefix} stay for ever`]),
    ];
  });
}
