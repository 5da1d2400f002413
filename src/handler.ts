import { createApp } from './app.ts';
import { createLambdaHandler } from './http/adapters/lambda-adapter.ts';
import { createServices } from './services.ts';

/** Lambda's entry point, for API Gateway's payload format 2.0. The app is created once per container. */
export const handler = createLambdaHandler(createApp(createServices(process.env)));
