/** The parameters of a report. */
export interface Question {
  /** Only this route, e.g. `POST /claimDevice`. */
  readonly route?: string;
  /** Only this request, with all its lines. */
  readonly requestId?: string;
  readonly limit: number;
}

/** One JSON line of the backend's log, as written by `src/http/request-scope.ts` and others. */
export type LogLine = Readonly<Record<string, unknown>>;
export type Row = Readonly<Record<string, string>>;

/** A report in two forms: for CloudWatch Logs Insights, and for a log file on this machine. */
export interface LogReport {
  readonly summary: string;
  readonly columns: readonly string[];
  insightsQuery(question: Question): string;
  rowsOf(lines: Iterable<LogLine>, question: Question): readonly Row[];
}

const REQUEST_COLUMNS = ['timestamp', 'requestId', 'route', 'statusCode', 'errorCode', 'latencyMs', 'uid'] as const;
const LINE_COLUMNS = ['timestamp', 'level', 'message', 'requestId', 'statusCode', 'errorCode', 'latencyMs'] as const;

export const LOG_REPORTS = {
  errors: {
    summary: 'Requests that failed with 5xx, by route and code, most frequent first.',
    columns: ['count', 'route', 'errorCode', 'lastAt', 'lastRequest'],
    insightsQuery: (question) =>
      [
        `filter message = "request" and statusCode >= 500${onlyRoute(question)}`,
        'stats count(*) as count, latest(timestamp) as lastAt, latest(requestId) as lastRequest by route, errorCode',
        `sort count desc | limit ${question.limit}`,
      ].join('\n| '),
    rowsOf(lines, question) {
      const failed = requestLines(lines, question).filter(({ statusCode }) => Number(statusCode) >= 500);
      const rows = [...groupBy(failed, ({ route, errorCode }) => `${route} ${errorCode}`)].map(([, group]) => {
        const last = group.at(-1);
        return {
          ...{ count: String(group.length), lastAt: text(last?.['timestamp']), lastRequest: text(last?.['requestId']) },
          ...{ route: text(last?.['route']), errorCode: text(last?.['errorCode']) },
        };
      });
      return rows.sort((a, b) => Number(b.count) - Number(a.count)).slice(0, question.limit);
    },
  },
  latency: {
    summary: 'Request latency in milliseconds by route, slowest first.',
    columns: ['route', 'requests', 'p50', 'p95', 'p99', 'slowest'],
    insightsQuery: (question) =>
      [
        `filter message = "request"${onlyRoute(question)}`,
        'stats count(*) as requests, pct(latencyMs, 50) as p50, pct(latencyMs, 95) as p95, pct(latencyMs, 99) as p99, ' +
          'max(latencyMs) as slowest by route',
        `sort p95 desc | limit ${question.limit}`,
      ].join('\n| '),
    rowsOf(lines, question) {
      const rows = [...groupBy(requestLines(lines, question), ({ route }) => text(route))].map(([route, group]) => {
        const times = group.map(({ latencyMs }) => Number(latencyMs)).sort((a, b) => a - b);
        const share = (of: number) => String(times[Math.ceil(of * times.length) - 1] ?? 0);
        const shares = { p50: share(0.5), p95: share(0.95), p99: share(0.99), slowest: share(1) };
        return { route, requests: String(group.length), ...shares };
      });
      return rows.sort((a, b) => Number(b.p95) - Number(a.p95)).slice(0, question.limit);
    },
  },
  requests: {
    summary: 'The latest requests, one per line; with --request all lines of that one, oldest first.',
    columns: REQUEST_COLUMNS,
    insightsQuery: ({ requestId, ...question }) =>
      requestId === undefined
        ? [
            `fields ${REQUEST_COLUMNS.join(', ')}`,
            `filter message = "request"${onlyRoute(question)}`,
            `sort timestamp desc | limit ${question.limit}`,
          ].join('\n| ')
        : [
            `fields ${LINE_COLUMNS.join(', ')}`,
            `filter requestId = ${quoted(requestId)}`,
            `sort timestamp asc | limit ${question.limit}`,
          ].join('\n| '),
    rowsOf(lines, question) {
      const { requestId, limit } = question;
      if (requestId === undefined) {
        return requestLines(lines, question)
          .reverse()
          .slice(0, limit)
          .map((line) => rowOf(line, REQUEST_COLUMNS));
      }
      const ofRequest = [...lines].filter((line) => line['requestId'] === requestId);
      return ofRequest.slice(0, limit).map((line) => rowOf(line, LINE_COLUMNS));
    },
  },
} as const satisfies Readonly<Record<string, LogReport>>;

export type ReportName = keyof typeof LOG_REPORTS;

/** Returns the columns of the result. */
export function columnsOf(report: LogReport, { requestId }: Question): readonly string[] {
  return requestId === undefined ? report.columns : LINE_COLUMNS;
}

function requestLines(lines: Iterable<LogLine>, { route }: Question): LogLine[] {
  return [...lines].filter((line) => line['message'] === 'request' && (route === undefined || line['route'] === route));
}

function groupBy(lines: readonly LogLine[], keyOf: (line: LogLine) => string): Map<string, LogLine[]> {
  const groups = new Map<string, LogLine[]>();
  for (const line of lines) {
    const group = groups.get(keyOf(line)) ?? [];
    group.push(line);
    groups.set(keyOf(line), group);
  }
  return groups;
}

function rowOf(line: LogLine, columns: readonly string[]): Row {
  return Object.fromEntries(columns.map((column) => [column, text(line[column])]));
}

function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value);
}

function onlyRoute({ route }: Pick<Question, 'route'>): string {
  return route === undefined ? '' : ` and route = ${quoted(route)}`;
}

/** Quotes a string for the Insights query language; quotes and backslashes are escaped. */
function quoted(value: string): string {
  return JSON.stringify(value);
}
