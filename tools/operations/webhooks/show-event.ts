import { styleText } from 'node:util';
import type { StripeEvent } from './stripe-events.ts';

type Color = 'green' | 'red' | 'yellow';
const COLORS: Readonly<Record<StripeEvent['status'], Color>> = {
  done: 'green',
  failed: 'red',
  kept: 'yellow',
  processing: 'yellow',
  unseen: 'red',
};

export function paint(color: Color, text: string): string {
  return styleText(color, text, { stream: process.stdout });
}

/** Formats an event as one line. */
export function eventLine(event: StripeEvent): string {
  const { eventId, type, status, attempts, created, outcome, error } = event;
  const state = paint(COLORS[status], status.padEnd(10));
  const tries = attempts === 1 ? '' : ` (${attempts} tries)`;
  return `${created.slice(0, 19)}Z  ${state} ${eventId}  ${type}  ${error ?? outcome ?? ''}${tries}`.trimEnd();
}

/** Formats all details of an event. */
export function eventDetails(event: StripeEvent): string {
  return Object.entries({
    Event: event.eventId,
    Type: event.type,
    Created: event.created,
    'First received': event.receivedAt ?? 'never',
    Status: event.status,
    Attempts: String(event.attempts),
    Customer: event.customerId ?? 'none',
    Outcome: event.outcome ?? '–',
    Error: event.error ?? '–',
  })
    .map(([name, value]) => `${name.padEnd(15)}${value}`)
    .join('\n');
}
