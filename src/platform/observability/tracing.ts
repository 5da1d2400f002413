import { type Attributes, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

/**
 * Creates spans if an SDK is running: a layer in Lambda (template.yaml, `TracingLayerArn`), a recorder in tests.
 * Otherwise these calls do nothing. Spans leave for another system, so they hold names and outcomes but never values,
 * keys or messages.
 */
const tracer = trace.getTracer('autowatering-backend');

/** The status of failed spans. */
export const SPAN_ERROR = SpanStatusCode.ERROR;

/** Traces a call that leaves the process, e.g. `DynamoDB.GetItem`. */
export function traced<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  return during(name, SpanKind.CLIENT, attributes, work);
}

/** Traces the request being served. Its name is set once a route is found. */
export function tracedRequest<T>(requestId: string, work: (span: Span) => Promise<T>): Promise<T> {
  return during('request', SpanKind.SERVER, { 'autowatering.request_id': requestId }, work);
}

function during<T>(name: string, kind: SpanKind, attributes: Attributes, work: (span: Span) => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, { kind, attributes }, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.setStatus({ code: SPAN_ERROR });
      span.setAttribute('error.type', error instanceof Error ? error.name : 'unknown');
      throw error;
    } finally {
      span.end();
    }
  });
}
