export { otaRoutes } from './routes.ts';
