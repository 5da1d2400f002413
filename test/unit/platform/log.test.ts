import { describe, expect, it } from 'vitest';
import { duringRequest } from '../../../src/platform/observability/current-request.ts';
import { createLog, logWith } from '../../../src/platform/observability/log.ts';
import { createPatience } from '../../../src/platform/resilience/patience.ts';
import { linesWritten } from '../../support/lines-written.ts';
import { recordingLog } from '../../support/recorders.ts';

describe('the log', () => {
  it('writes one JSON line with the bound fields, and errors with their stack', () => {
    const written = linesWritten(() => {
      const log = logWith(createLog(), { requestId: 'r-1' });
      log.info('request', { statusCode: 200 });
      log.error('it broke', {}, new Error('why'));
      log.warn('it limps', {}, 'a string');
    });
    const [info, error, warning] = written;
    expect(warning).toMatchObject({ level: 'WARN', error: { message: 'a string' } });
    expect(info).toMatchObject({ level: 'INFO', message: 'request', requestId: 'r-1', statusCode: 200 });
    expect(error).toMatchObject({ level: 'ERROR', requestId: 'r-1', error: { message: 'why' } });
  });

  it('binds fields at every level', () => {
    const recorded = recordingLog();
    const log = logWith(recorded, { requestId: 'r-2' });
    log.debug('d');
    log.info('i');
    log.warn('w');
    log.error('e');
    expect(recorded.lines.map(({ level, fields }) => [level, fields['requestId']])).toEqual([
      ['debug', 'r-2'],
      ['info', 'r-2'],
      ['warn', 'r-2'],
      ['error', 'r-2'],
    ]);
  });

  it('includes the id of the current request, whoever logs, and none outside a request', () => {
    const written = linesWritten(() => {
      const log = createLog();
      duringRequest({ requestId: 'r-3', consumed: { calls: 0, units: 0 }, patience: createPatience(1_000) }, () => {
        log.warn('a circuit has opened');
        log.info('request', { requestId: 'its own' });
      });
      log.info('outside');
    });
    expect(written.map(({ requestId }) => requestId)).toEqual(['r-3', 'its own', undefined]);
  });
});
