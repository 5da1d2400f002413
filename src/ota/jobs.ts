export { createUpdateNews } from './news/update-news.ts';
