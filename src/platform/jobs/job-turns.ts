import { wasConditionMet } from '../aws/dynamo.ts';
import type { Services } from '../services.ts';

const SCHEMA = 1;

/** A run's right to do a job's turn alone. */
export interface Turn {
  readonly name: string;
  /** Identifies the run. */
  readonly run: string;
  readonly turnAt: number;
}

/**
 * Who does which job: one item per job. A turn is taken under a lease, so that only one run does it at a time; one that
 * died leaves its lease behind, and the turn is taken again when that has expired.
 */
export function createJobTurns({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const TableName = config.tables.garden;
  const keyOf = (name: string) => ({ partition: 'jobs', record: name });

  return {
    /** False if the turn is done, or somebody else is at work. */
    take: ({ name, run, turnAt }: Turn, now: number, leaseMs: number): Promise<boolean> =>
      wasConditionMet(async () =>
        (await documents()).update({
          TableName,
          Key: keyOf(name),
          UpdateExpression: 'SET run_id = :run, leased_until = :until, #schema = :schema',
          ConditionExpression:
            '(attribute_not_exists(done_turn_at) OR done_turn_at < :turn) AND ' +
            '(attribute_not_exists(leased_until) OR leased_until <= :now)',
          ExpressionAttributeNames: { '#schema': 'schema' },
          ExpressionAttributeValues: {
            ':run': run,
            ':until': now + leaseMs,
            ':now': now,
            ':turn': turnAt,
            ':schema': SCHEMA,
          },
        }),
      ),

    /** False if the lease had expired and somebody else has the turn. */
    finish: ({ name, run, turnAt }: Turn): Promise<boolean> =>
      wasConditionMet(async () =>
        (await documents()).update({
          TableName,
          Key: keyOf(name),
          UpdateExpression: 'SET done_turn_at = :turn REMOVE leased_until, run_id',
          ConditionExpression: 'run_id = :run',
          ExpressionAttributeValues: { ':run': run, ':turn': turnAt },
        }),
      ),

    /** Gives the turn back after a failure, so that the next look takes it again. */
    giveBack: ({ name, run }: Turn): Promise<boolean> =>
      wasConditionMet(async () =>
        (await documents()).update({
          TableName,
          Key: keyOf(name),
          UpdateExpression: 'REMOVE leased_until, run_id',
          ConditionExpression: 'run_id = :run',
          ExpressionAttributeValues: { ':run': run },
        }),
      ),
  };
}
