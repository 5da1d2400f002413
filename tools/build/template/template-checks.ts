import type { ListedRoute } from '../../cli/target/route-list.ts';
import { checkPolicies } from './policy-check.ts';
import { checkRoutes } from './route-check.ts';
import type { Template } from './template.ts';

/** What the template is checked against. */
export interface TemplateFacts {
  readonly routes: readonly ListedRoute[];
  /** The anchors of RUNBOOK.md's headings. */
  readonly runbookAnchors: readonly string[];
  /** The template's source. */
  readonly text: string;
}

interface TemplateCheck {
  readonly name: string;
  /** Returns one sentence for each fault. */
  faults(template: Template, facts: TemplateFacts): readonly string[];
}

/** The project's own rules for template.yaml, beyond general linters. */
export const TEMPLATE_CHECKS: readonly TemplateCheck[] = [
  {
    name: 'every route has its event, guard and throttle',
    faults: (template, { routes }) => checkRoutes(template, routes),
  },
  { name: 'every alarm has a receiver and a section of the runbook', faults: checkAlarms },
  { name: 'permissions name actions and resources', faults: checkPolicies },
  { name: 'data is kept, encrypted and recoverable', faults: checkData },
  { name: 'logs expire', faults: checkLogs },
  { name: 'parameters are described and constrained', faults: checkParameters },
  { name: 'there are no secrets or account ids', faults: (_template, { text }) => checkText(text) },
];

function resourcesOf(template: Template, type: string) {
  return Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
}

function checkAlarms(template: Template, { runbookAnchors }: TemplateFacts): readonly string[] {
  return resourcesOf(template, 'AWS::CloudWatch::Alarm').flatMap(([name, { Properties: properties }]) => {
    const anchor = /RUNBOOK\.md#([a-z0-9-]+)$/.exec(String(properties['AlarmDescription']).trim())?.[1];
    const topic = JSON.stringify([{ '!Ref': 'Alarms' }]);
    return [
      ...(anchor !== undefined && runbookAnchors.includes(anchor)
        ? []
        : [`${name} does not link to a section of RUNBOOK.md`]),
      ...(JSON.stringify(properties['AlarmActions']) === topic ? [] : [`${name} notifies nobody when it starts`]),
      ...(JSON.stringify(properties['OKActions']) === topic ? [] : [`${name} notifies nobody when it ends`]),
      ...(typeof properties['TreatMissingData'] === 'string'
        ? []
        : [`${name} does not define how to treat missing data`]),
    ];
  });
}

/** Required properties of tables and buckets, against deletion, mistakes and theft. */
const TABLE_RULES = {
  BillingMode: /PAY_PER_REQUEST/,
  SSESpecification: /"SSEEnabled":true/,
  PointInTimeRecoverySpecification: /IsKept/,
  DeletionProtectionEnabled: /IsKept/,
} as const;
const BUCKET_RULES = {
  BucketEncryption: /AES256/,
  VersioningConfiguration: /Enabled/,
  PublicAccessBlockConfiguration:
    /"BlockPublicAcls":true,"BlockPublicPolicy":true,"IgnorePublicAcls":true,"RestrictPublicBuckets":true/,
} as const;

function checkData(template: Template): readonly string[] {
  const kept = [
    ...resourcesOf(template, 'AWS::DynamoDB::Table').map((entry) => [...entry, TABLE_RULES] as const),
    ...resourcesOf(template, 'AWS::S3::Bucket').map((entry) => [...entry, BUCKET_RULES] as const),
  ];
  return kept.flatMap(([name, resource, rules]) => [
    ...(resource['DeletionPolicy'] === undefined ? [`${name} is deleted with the stack`] : []),
    ...Object.entries(rules).flatMap(([property, pattern]) =>
      pattern.test(JSON.stringify(resource.Properties[property]) ?? '')
        ? []
        : [`${name}: ${property} is not as required`],
    ),
  ]);
}

function checkLogs(template: Template): readonly string[] {
  return resourcesOf(template, 'AWS::Logs::LogGroup')
    .filter(([, { Properties: properties }]) => properties['RetentionInDays'] === undefined)
    .map(([name]) => `${name} keeps its logs forever`);
}

function checkParameters(template: Template): readonly string[] {
  return Object.entries(template.Parameters).flatMap(([name, parameter]) => {
    const isConstrained = 'AllowedPattern' in parameter || 'AllowedValues' in parameter;
    return [
      ...(typeof parameter['Description'] === 'string' ? [] : [`${name} has no description`]),
      // CloudFormation does not support patterns for lists.
      ...(isConstrained || parameter['Type'] === 'CommaDelimitedList' ? [] : [`${name} accepts any value`]),
    ];
  });
}

function checkText(text: string): readonly string[] {
  return [
    ...(/\b\d{12}\b/.test(text) ? ['it contains what looks like an account id'] : []),
    ...(/(sk|rk)_(live|test)_\w{6}|whsec_\w{6}|AKIA[A-Z0-9]{8}/.test(text)
      ? ['it contains what looks like a secret']
      : []),
  ];
}
