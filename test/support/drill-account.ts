import type { IncomingMessage } from 'node:http';
import { readAll, type StandIn, startStandIn } from '../../tools/run/local-stack/stand-in-server.ts';

interface Version {
  readonly key: string;
  readonly id: string;
  readonly isMarker: boolean;
  readonly isLocked: boolean;
}

/** The resources of one environment, except its tables. */
export interface AccountContents {
  stack:
    | { readonly name: string; readonly environment: string; readonly tags: Readonly<Record<string, string>> }
    | undefined;
  readonly buckets: Map<string, Version[]>;
  readonly logGroups: Set<string>;
  readonly secrets: Set<string>;
  /** Recovery points by vault. */
  readonly vaults: Map<string, string[]>;
}

export interface DrillAccount extends StandIn, AccountContents {
  /** Every modifying call. */
  readonly changes: string[];
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const PAGE = 2;

/**
 * The APIs of CloudFormation, S3, CloudWatch Logs, Secrets Manager and AWS Backup needed to remove an environment.
 * Strict where it matters: a bucket or vault must be empty, a locked version needs its bypass, pages are short.
 */
export async function startDrillAccount(contents: AccountContents): Promise<DrillAccount> {
  const changes: string[] = [];
  const standIn = await startStandIn(async (request, response) => {
    const body = (await readAll(request)).toString('utf8');
    const target = request.headers['x-amz-target'];
    const answer = () => {
      if (typeof target === 'string') return answerJson(target, JSON.parse(body));
      if (body.includes('Action=')) return answerStack(new URLSearchParams(body));
      return request.url?.startsWith('/backup-vaults') === true ? answerBackup(request) : answerS3(request, body);
    };
    const { status, type, text } = answer();
    response.writeHead(status, { 'Content-Type': type }).end(text);
  }, undefined);

  const json = (status: number, value: object): Answer => ({
    ...{ status, type: 'application/x-amz-json-1.1', text: JSON.stringify(value) },
  });
  const xml = (status: number, text: string): Answer => ({ status, type: 'application/xml', text });

  function answerJson(target: string, asked: Record<string, string>): Answer {
    const { logGroupName: group = '', logGroupNamePrefix: prefix = '', SecretId: secret = '' } = asked;
    switch (target.split('.')[1]) {
      case 'DescribeLogGroups': {
        const found = [...contents.logGroups].filter((name) => name.startsWith(prefix));
        return json(200, { logGroups: found.map((logGroupName) => ({ logGroupName })) });
      }
      case 'DeleteLogGroup':
        changes.push(`log group ${group}`);
        contents.logGroups.delete(group);
        return json(200, {});
      case 'DescribeSecret':
        if (contents.secrets.has(secret)) return json(200, { Name: secret });
        return json(400, { __type: 'ResourceNotFoundException', message: 'no such secret' });
      case 'DeleteSecret':
        changes.push(`secret ${secret} ${JSON.stringify(asked['ForceDeleteWithoutRecovery'])}`);
        contents.secrets.delete(secret);
        return json(200, {});
      default:
        return json(400, { __type: 'UnknownOperationException', message: target });
    }
  }

  function answerStack(asked: URLSearchParams): Answer {
    const action = asked.get('Action');
    const name = asked.get('StackName') ?? '';
    if (contents.stack?.name !== name) {
      return xml(
        400,
        `<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id ${name} does not exist</Message></Error></ErrorResponse>`,
      );
    }
    if (action === 'DeleteStack') {
      changes.push(`stack ${name}`);
      contents.stack = undefined;
      return xml(200, '<DeleteStackResponse/>');
    }
    const { environment, tags } = contents.stack;
    const tagList = Object.entries(tags).map(
      ([key, value]) => `<member><Key>${key}</Key><Value>${value}</Value></member>`,
    );
    return xml(
      200,
      `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>${name}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Parameters><member><ParameterKey>Environment</ParameterKey><ParameterValue>${environment}</ParameterValue></member></Parameters><Tags>${tagList.join('')}</Tags></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
    );
  }

  function answerBackup({ method, url = '' }: IncomingMessage): Answer {
    const [, , vault = '', , point] = new URL(url, 'http://x').pathname.split('/').map(decodeURIComponent);
    const points = contents.vaults.get(vault) ?? [];
    if (vault === '') {
      const list = [...contents.vaults].map(([name, all]) => ({
        BackupVaultName: name,
        NumberOfRecoveryPoints: all.length,
      }));
      return json(200, { BackupVaultList: list });
    }
    if (method === 'GET') {
      return json(200, { RecoveryPoints: points.map((RecoveryPointArn) => ({ RecoveryPointArn })) });
    }
    if (point !== undefined) {
      contents.vaults.set(
        vault,
        points.filter((one) => one !== point),
      );
      return json(200, {});
    }
    if (points.length > 0) return json(400, { __type: 'InvalidRequestException', message: 'not empty' });
    changes.push(`vault ${vault}`);
    contents.vaults.delete(vault);
    return json(200, {});
  }

  function answerS3({ method, url = '', headers }: IncomingMessage, body: string): Answer {
    const { pathname, searchParams: query } = new URL(url, 'http://x');
    const bucket = pathname.slice(1).replace(/\/$/, '');
    if (bucket === '') {
      const named = [...contents.buckets.keys()].filter((one) => one.startsWith(query.get('prefix') ?? ''));
      const list = named.map((name) => `<Bucket><Name>${name}</Name></Bucket>`).join('');
      return xml(200, `<ListAllMyBucketsResult><Buckets>${list}</Buckets></ListAllMyBucketsResult>`);
    }
    const versions = contents.buckets.get(bucket) ?? [];
    if (query.has('object-lock')) {
      return xml(
        200,
        '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>',
      );
    }
    if (query.has('versions')) return xml(200, versionPage(versions, query));
    if (query.has('delete')) {
      const bypass = headers['x-amz-bypass-governance-retention'] === 'true';
      const asked = [...body.matchAll(/<VersionId>([^<]+)<\/VersionId>/g)].map(([, id]) => id);
      const going = versions.filter(({ id, isLocked }) => asked.includes(id) && (bypass || !isLocked));
      contents.buckets.set(
        bucket,
        versions.filter((one) => !going.includes(one)),
      );
      const refused = versions.filter((one) => asked.includes(one.id) && !going.includes(one));
      const errors = refused.map(({ key }) => `<Error><Key>${key}</Key><Code>AccessDenied</Code></Error>`);
      return xml(200, `<DeleteResult>${errors.join('')}</DeleteResult>`);
    }
    if (method !== 'DELETE') return xml(501, '<Error><Code>NotImplemented</Code></Error>');
    if (versions.length > 0) return xml(409, '<Error><Code>BucketNotEmpty</Code></Error>');
    changes.push(`bucket ${bucket}`);
    contents.buckets.delete(bucket);
    return xml(204, '');
  }

  return Object.assign(contents, standIn, { changes });
}

function versionPage(versions: readonly Version[], query: URLSearchParams): string {
  const after = versions.findIndex(({ id }) => id === query.get('version-id-marker')) + 1;
  const page = versions.slice(after, after + PAGE);
  const last = page.at(-1);
  const isTruncated = after + page.length < versions.length;
  const entries = page.map(({ key, id, isMarker }) => {
    const tag = isMarker ? 'DeleteMarker' : 'Version';
    return `<${tag}><Key>${key}</Key><VersionId>${id}</VersionId></${tag}>`;
  });
  const next = `<NextKeyMarker>${last?.key}</NextKeyMarker><NextVersionIdMarker>${last?.id}</NextVersionIdMarker>`;
  return `<ListVersionsResult><IsTruncated>${isTruncated}</IsTruncated>${isTruncated ? next : ''}${entries.join('')}</ListVersionsResult>`;
}
