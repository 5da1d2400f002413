import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { originPolicy } from '../../../src/http/checks/origins.ts';
import { readTemplate } from '../../../tools/build/template/template.ts';
import { deploySettings } from '../../../tools/operations/deploy/deploy-settings.ts';

const CONFIG = fileURLToPath(new URL('../../../samconfig.toml', import.meta.url));
const SHELLS = ['https://localhost', 'capacitor://localhost', 'ionic://localhost', 'http://localhost'];
const DEVELOPMENT = ['http://localhost:5173', 'http://localhost:8100'];
const OF_THE_ACCOUNT = ['UserPoolId=eu-central-1_Abc', 'UserPoolClientIds=abc', 'StripePriceId=price_1'];

/** The origins as `npm run deploy` would set them when nobody says otherwise. */
async function originsOf(environment: string): Promise<readonly string[]> {
  const template = await readTemplate();
  const { parameters } = await deploySettings(environment, undefined, OF_THE_ACCOUNT, template, CONFIG);
  return (parameters['AllowedOrigins'] ?? String(template.Parameters['AllowedOrigins']?.['Default'])).split(',');
}

describe.each(['dev', 'staging', 'prod'])('the default origins of %s', (environment) => {
  it.each(SHELLS)("let the app's shell %s in", async (origin) => {
    expect(originPolicy(await originsOf(environment))(origin)).toBe(true);
  });

  it.each(DEVELOPMENT)(`${environment === 'dev' ? 'let' : 'do not let'} %s in`, async (origin) => {
    expect(originPolicy(await originsOf(environment))(origin)).toBe(environment === 'dev');
  });
});

describe("the bucket's CORS", () => {
  it('is for the same origins as the API, and matches them literally too', async () => {
    const { Resources: resources } = await readTemplate();
    const bucket = Object.values(resources).find(({ Properties: { CorsConfiguration: cors } }) => cors !== undefined);
    expect(bucket?.Properties['CorsConfiguration']).toMatchObject({
      CorsRules: [{ AllowedMethods: ['GET', 'HEAD', 'PUT'], AllowedOrigins: { '!Split': [',', expect.anything()] } }],
    });
    expect(JSON.stringify(bucket?.Properties['CorsConfiguration'])).toContain('AllowedOrigins');
  });
});
