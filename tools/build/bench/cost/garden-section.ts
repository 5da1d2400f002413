import type { Behaviour } from './behaviour.ts';
import { type Figures, type JobFigure, routeFigure } from './figures.ts';
import { gardenMonth, storedInAYear } from './jobs-month.ts';
import { billedSeconds } from './monthly-cost.ts';
import { type PriceList, tieredCost } from './price-list.ts';

const DEVICES = 10_000;
const DEPLOYED_MB = 512;
const YEAR_DAYS = 365;
const GB = 1_000_000_000;
const GIB = 1024 ** 3;
const OF_GARDEN = /\/telemetry|\/commands|\/notifications/;

interface Line {
  readonly name: string;
  readonly aMonth: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly dollars: number;
}

/** What telemetry, commands, notifications and work by time cost, as a section of the page. */
export function gardenSection(behaviour: Behaviour, figures: Figures, prices: PriceList): string {
  const { garden, jobs } = figures;
  const month = gardenMonth(DEVICES, figures);
  const lines = Object.entries(behaviour.requestsPerMonth).flatMap(([route, aMonth]): readonly Line[] => {
    const figure = OF_GARDEN.test(route) ? routeFigure(figures, route) : undefined;
    if (figure === undefined) return [];
    const { readUnits, writeUnits, calls, cpuMicroseconds, elsewhereMs } = figure;
    const requests = DEVICES * aMonth;
    const seconds = requests * billedSeconds(cpuMicroseconds, calls, DEPLOYED_MB, elsewhereMs);
    const dollars =
      units(requests * readUnits, requests * writeUnits, prices) +
      compute(requests, seconds, prices) +
      tieredCost(requests, prices.httpApiRequest);
    return [{ name: `\`${route}\``, aMonth, readUnits, writeUnits, dollars }];
  });
  const work =
    units(month.readUnits, month.writeUnits, prices) +
    compute(month.invocations, billedSeconds(month.cpuMicroseconds, month.calls, DEPLOYED_MB), prices);
  const table = month.storedBytes / GIB;
  const kept = tieredCost(table, prices.dynamoDbStorageGbMonth) + tieredCost(table, prices.dynamoDbRecoveryGbMonth);
  const archive = tieredCost(month.archivedBytes / GB, prices.s3StorageGbMonth) + tieredCost(month.puts, prices.s3Put);
  const total = lines.reduce((sum, { dollars }) => sum + dollars, 0) + work + kept + archive;
  const each = (work: JobFigure) => `${perDevice(work.readUnits)} + ${perDevice(work.writeUnits)} units`;
  const perDevice = (amount: number) => (amount / jobs.devices).toFixed(2);
  return `## The garden, for ${DEVICES.toLocaleString('en')} devices

| | a device and month | units of one | a month |
|---|---:|---:|---:|
${lines.map(({ name, aMonth, readUnits, writeUnits, dollars: cost }) => `| ${name} | ${Number(aMonth.toFixed(2))} | ${readUnits} + ${writeUnits} | ${dollars(cost)} |`).join('\n')}
| Work by time: deliveries, expiry, looking for insights, the archive | | | ${dollars(work)} |
| The table: a year of history, and its recovery | | | ${dollars(kept)} |
| The archive: its files, and a year of them | | | ${dollars(archive)} |
| **Together** | | | **${dollars(total)}** |

- Units are read + write. Those of uploads count each item by AWS's rule, measured over ${garden.days} days of a device. The first
  brings its days since 2024; with the five years that a device can hold, it takes more ([benchmarks.md](benchmarks.md#the-garden)).
- A device's history grows by ${kilobytes(storedInAYear(garden))} a year in the table (rows go after 400 days, roll-ups stay) and by at most
  ${kilobytes((YEAR_DAYS * jobs.archiveOfADay.putBytes) / jobs.devices)} a year in the archive: with the ${jobs.devices} devices that were measured, most of a file is its own frame.
- A device that was read on a day costs ${each(jobs.lookOfADay)} for looking at it and ${each(jobs.archiveOfADay)}
  for its archive. The archive has ${jobs.archiveOfADay.puts} files a day, however many devices there are. An hour without work takes ${jobs.idleHour.readUnits} + ${jobs.idleHour.writeUnits} units.
- Requests are priced with HTTP API, Lambda of ${DEPLOYED_MB} MB and DynamoDB; logs and data are in the table above. Mails, pushes and the
  relay's messages are not included.
`;
}

function units(read: number, write: number, prices: PriceList): number {
  return tieredCost(read, prices.dynamoDbReadUnit) + tieredCost(write, prices.dynamoDbWriteUnit);
}

function compute(invocations: number, seconds: number, prices: PriceList): number {
  return (
    tieredCost(invocations, prices.lambdaRequest) +
    tieredCost((seconds * DEPLOYED_MB) / 1024, prices.lambdaGbSecondArm64)
  );
}

function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1_000).toLocaleString('en')} KB`;
}
