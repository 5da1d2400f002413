import * as z from 'zod';
import type { Template } from './template.ts';

const Statement = z.object({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: z.union([z.string(), z.array(z.string())]),
  Resource: z.unknown(),
});
type Statement = z.output<typeof Statement>;
/** A conditional statement. */
const Conditional = z.object({ 'Fn::If': z.tuple([z.string(), Statement, z.unknown()]) });
/** An optional managed policy from a parameter; the template has none of its own. */
const NoValue = z.object({ '!Ref': z.literal('AWS::NoValue') });
const Managed = z.object({ '!If': z.tuple([z.string(), z.object({ '!Ref': z.string() }), NoValue]) });
const Policies = z.array(z.union([z.object({ Statement: z.array(z.union([Statement, Conditional])) }), Managed]));

export interface Grant {
  readonly sid: string;
  readonly actions: readonly string[];
  /** Each as JSON, with CloudFormation's short forms as keys. */
  readonly resources: readonly string[];
}

/** The functions, by their name in the template. */
export const FUNCTION_NAMES = ['Backend', 'Relay', 'Jobs'] as const;
export type FunctionName = (typeof FUNCTION_NAMES)[number];

/** Returns what a function's policy allows; undefined if it contains anything but statements and parameters. */
export function grantedRights(template: Template, name: FunctionName): readonly Grant[] | undefined {
  const policies = Policies.safeParse(template.Resources[name]?.Properties['Policies']);
  if (!policies.success) return undefined;
  return policies.data
    .flatMap((policy) => ('Statement' in policy ? policy.Statement.map(bare) : []))
    .filter(({ Effect: effect }) => effect === 'Allow')
    .map(({ Sid: sid = 'A statement without a Sid', Action: action, Resource: resource }) => ({
      sid,
      actions: [action].flat(),
      resources: [resource].flat().map((one) => JSON.stringify(one) ?? ''),
    }));
}

function bare(entry: z.output<typeof Statement> | z.output<typeof Conditional>): Statement {
  return 'Fn::If' in entry ? entry['Fn::If'][1] : entry;
}

/** Returns the bucket prefixes under which a function can delete objects. */
export function removablePrefixes(grants: readonly Grant[]): readonly string[] {
  return grants
    .filter(({ actions }) => actions.includes('s3:DeleteObject'))
    .flatMap(({ resources }) => resources)
    .map((resource) => /ArtifactBucket\.Arn\}\/(.*)\*"/.exec(resource)?.[1] ?? '');
}
