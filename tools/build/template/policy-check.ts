import * as z from 'zod';
import type { Template } from './template.ts';

const Statement = z.object({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: z.union([z.string(), z.array(z.string())]),
  Resource: z.unknown(),
});
type Statement = z.output<typeof Statement>;
/** A statement that stands there under a condition only. */
const Conditional = z.object({ 'Fn::If': z.tuple([z.string(), Statement, z.unknown()]) });
/** A managed policy that the caller names, or none: the template names none itself. */
const NoValue = z.object({ '!Ref': z.literal('AWS::NoValue') });
const Managed = z.object({ '!If': z.tuple([z.string(), z.object({ '!Ref': z.string() }), NoValue]) });
const Policies = z.array(z.union([z.object({ Statement: z.array(z.union([Statement, Conditional])) }), Managed]));

/** The one star there is: the objects of our bucket, whose keys nobody can list beforehand. */
const OBJECTS = JSON.stringify({ '!Sub': `\${ArtifactBucket.Arn}/*` });

/** What nobody has business deleting, or reading as a whole. */
const DELETING_SIDS = new Set(['Users', 'RateLimits']);

/** Walks the function's policy: every action by its name, on a resource of ours. */
export function checkPolicies(template: Template): readonly string[] {
  const policies = Policies.safeParse(template.Resources['Backend']?.Properties['Policies']);
  if (!policies.success)
    return ['the policies hold something else than statements, and managed ones that a parameter names'];
  const statements = policies.data.flatMap((policy) => ('Statement' in policy ? policy.Statement.map(bare) : []));
  return statements.filter(({ Effect: effect }) => effect === 'Allow').flatMap(checkStatement);
}

function bare(entry: z.output<typeof Statement> | z.output<typeof Conditional>): Statement {
  return 'Fn::If' in entry ? entry['Fn::If'][1] : entry;
}

function checkStatement({ Sid: sid = 'A statement without a Sid', Action: action, Resource: resource }: Statement) {
  const actions = [action].flat();
  const resources = [resource].flat().map((one) => JSON.stringify(one) ?? '');
  const isWhole = (one: string) => one.includes('*') && one !== OBJECTS;
  return [
    ...actions
      .filter((one) => !/^[a-z0-9-]+:[A-Za-z]+$/.test(one))
      .map((one) => `${sid} allows ${one}, which is no single action`),
    ...(resources.some(isWhole) || resources.length === 0 ? [`${sid} allows it on everything`] : []),
    ...(actions.includes('dynamodb:Scan') ? [`${sid} allows a scan`] : []),
    ...(actions.includes('dynamodb:DeleteItem') && !DELETING_SIDS.has(sid)
      ? [`${sid} allows the deletion of items`]
      : []),
  ];
}
