import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const OPENAPI = fileURLToPath(new URL('../../../docs/openapi.json', import.meta.url));
const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>AutoWatering API</title>
<link rel="icon" href="favicon-32x32.png">
<link rel="stylesheet" href="swagger-ui.css">
<style>
  body { margin: 0 }
  /* Swagger UI draws for a light page only; a dark one is the same page turned round, colours kept. */
  @media (prefers-color-scheme: dark) {
    html { background: #161616 }
    body { filter: invert(0.9) hue-rotate(180deg) }
  }
</style>
</head>
<body>
<div id="api"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#api', tryItOutEnabled: true, persistAuthorization: true });\n`;

/** Builds the interactive API page: Swagger UI for the generated document, without files from the network. */
export async function writeDocsSite(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const assets = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  await Promise.all([
    ...ASSETS.map((name) => copyFile(path.join(assets, name), path.join(directory, name))),
    copyFile(OPENAPI, path.join(directory, 'openapi.json')),
    writeFile(path.join(directory, 'index.html'), PAGE),
    writeFile(path.join(directory, 'start.js'), START),
  ]);
}
