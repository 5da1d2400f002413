import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { originPolicy } from '../../../src/http/checks/origins.ts';
import { readTemplate } from '../../../tools/build/template/template.ts';
import { deploySettings } from '../../../tools/operations/deploy/deploy-settings.ts';

const CONFIG = fileURLToPath(new URL('../../../samconfig.toml', import.meta.url));
const SHELLS = ['https://localhost', 'capacitor://localhost', 'ionic://localhost', 'http://localhost'];
const DEVELOPMENT = ['http://localhost:5173', 'http://localhost:8100'];
const OF_THE_ACCOUNT = ['UserPoolId=eu-central-1_Abc', 'UserPoolClientIds=abc', 'StripePriceId=price_1'];

/** The origins that `npm run deploy` sets by default. */
async function originsOf(environment: string): Promise<readonly string[]> {
  const template = await readTemplate();
  const { parameters } = await deploySettings(environment, undefined, OF_THE_ACCOUNT, template, CONFIG);
  return (parameters['AllowedOrigins'] ?? String(template.Parameters['AllowedOrigins']?.['Default'])).split(',');
}

describe.each(['dev', 'staging', 'prod'])('the default origins of %s', (environment) => {
  it.each(SHELLS)("allow the app's web view %s", async (origin) => {
    expect(originPolicy(await originsOf(environment))(origin)).toBe(true);
  });

  it.each(DEVELOPMENT)(`${environment === 'dev' ? 'allow' : 'do not allow'} %s`, async (origin) => {
    expect(originPolicy(await originsOf(environment))(origin)).toBe(environment === 'dev');
  });
});

describe("the bucket's CORS", () => {
  it('allows the same origins as the API, also matched literally', async () => {
    const { Resources: resources } = await readTemplate();
    const bucket = Object.values(resources).find(({ Properties: { CorsConfiguration: cors } }) => cors !== undefined);
    expect(bucket?.Properties['CorsConfiguration']).toMatchObject({
      CorsRules: [{ AllowedMethods: ['GET', 'HEAD', 'PUT'], AllowedOrigins: { '!Split': [',', expect.anything()] } }],
    });
    expect(JSON.stringify(bucket?.Properties['CorsConfiguration'])).toContain('AllowedOrigins');
  });
});
