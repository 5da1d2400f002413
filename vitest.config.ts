import { defineConfig } from 'vitest/config';

/** Tests that change the process that they run in, as its environment, have one of their own. */
const OWN_PROCESS = [
  'test/unit/platform/object-links.test.ts',
  'test/unit/platform/metrics.test.ts',
  'test/integration/http/tracing.test.ts',
];

export default defineConfig({
  test: {
    // The other files follow each other in three processes, and load what they share, as the SDKs, once in each.
    projects: [
      { extends: true, test: { name: 'all', include: ['test/**/*.test.ts'], exclude: OWN_PROCESS, isolate: false } },
      { extends: true, test: { name: 'own process', include: OWN_PROCESS } },
    ],
    globalSetup: ['test/support/engines.ts'],
    pool: 'forks',
    // Twice the two cores that the suite is made for: much of it waits, for processes and for time limits.
    maxWorkers: 4,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: [
        'src/**/*.ts',
        'firmware-sim/**/*.ts',
        'release-format/**/*.ts',
        'device-proof/**/*.ts',
        'relay-protocol/**/*.ts',
        'relay-client/**/*.ts',
        'device-data/**/*.ts',
        'app-client/**/*.ts',
      ],
      // The entry points run in processes of their own: the local server in every e2e test, the Lambda handlers and
      // their credentials in the bundle test.
      exclude: [
        'src/local-server.ts',
        'src/handler.ts',
        'src/relay-handler.ts',
        'src/platform/aws/lambda-credentials.ts',
      ],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { lines: 90, branches: 90, functions: 90, statements: 90 },
    },
  },
});
