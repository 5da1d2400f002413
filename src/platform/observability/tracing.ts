import { type Attributes, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

/**
 * Spans for whoever has an SDK running: in Lambda a layer (template.yaml, `TracingLayerArn`), in tests a recorder.
 * Without one each of these calls does nothing. A span holds names and outcomes, never a value, a key or a message: they
 * go to a place with rules of its own.
 */
const tracer = trace.getTracer('autowatering-backend');

/** The status of a span whose work failed. */
export const SPAN_ERROR = SpanStatusCode.ERROR;

/** A call that leaves the process, e.g. `DynamoDB.GetItem`. */
export function traced<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  return during(name, SpanKind.CLIENT, attributes, work);
}

/** The request that is served; its name is known once a route is found. */
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
