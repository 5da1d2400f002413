import { setTimeout as delay } from 'node:timers/promises';
import { CloudWatchLogs, type GetQueryResultsCommandOutput } from '@aws-sdk/client-cloudwatch-logs';
import { PlainError } from '../../cli/plain-error.ts';
import type { Row } from './log-reports.ts';

const POLL_MS = 500;
/** The time limit of Insights itself is an hour, too long to wait for. */
const QUERY_MS = 2 * 60 * 1000;
const TIME_LIMITS = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

export interface InsightsQuery {
  readonly environment: string;
  readonly region: string | undefined;
  readonly query: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

/** Runs a CloudWatch Logs Insights query and waits for the result. Stops the query when aborted or timed out. */
export async function askInsights(asked: InsightsQuery, signal: AbortSignal): Promise<readonly Row[]> {
  const client = new CloudWatchLogs({
    requestHandler: TIME_LIMITS,
    ...(asked.region !== undefined && { region: asked.region }),
  });
  const groups = ['backend', 'relay'].map((name) => `/aws/lambda/autowatering-${name}-${asked.environment}`);
  const { queryId } = await started(client, groups, asked);
  const until = Date.now() + QUERY_MS;
  try {
    for (;;) {
      const answer = await client.getQueryResults({ queryId }, { abortSignal: signal });
      if (answer.status === 'Complete') return rowsOf(answer);
      if (answer.status !== 'Running' && answer.status !== 'Scheduled') {
        throw new PlainError(`The query ended with status ${answer.status}. Try a shorter time with --since.`);
      }
      if (Date.now() > until)
        throw new PlainError(`The query took more than ${QUERY_MS / 60_000} minutes. Try --since 15m.`);
      await delay(POLL_MS, undefined, { signal });
    }
  } catch (error) {
    if (signal.aborted || error instanceof PlainError) await client.stopQuery({ queryId });
    throw error;
  }
}

type Span = Pick<InsightsQuery, 'query' | 'from' | 'to'>;

async function started(
  client: CloudWatchLogs,
  groups: readonly string[],
  { query, from, to }: Span,
): Promise<{ readonly queryId?: string | undefined }> {
  try {
    return await client.startQuery({
      ...{ logGroupNames: [...groups], queryString: query },
      ...{ startTime: Math.floor(from / 1000), endTime: Math.ceil(to / 1000) },
    });
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ResourceNotFoundException')) throw error;
    const [group = '', ...others] = groups;
    // An environment that was deployed before it had the others.
    if (others.length > 0) return started(client, [group], { query, from, to });
    throw new PlainError(`There is no log group ${group}. Check environment, account and region.`);
  }
}

function rowsOf({ results = [] }: GetQueryResultsCommandOutput): readonly Row[] {
  return results.map((fields) =>
    Object.fromEntries(fields.map(({ field = '', value = '' }) => [field, value] as const)),
  );
}
