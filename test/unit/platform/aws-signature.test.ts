import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createSigner,
  type SignedForm,
  sha256,
  signedHeaders,
  signingTime,
} from '../../../src/platform/aws/json/signature.ts';
import { Hash } from '../../support/sha256-hash.ts';

/** From AWS's published test suite for Signature Version 4. */
const SUITE = { secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', region: 'us-east-1', time: '20150830T123600Z' };

describe('a signature', () => {
  it.each([
    ['get-vanilla', 'GET', '', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    ['post-vanilla', 'POST', '', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    [
      'get-vanilla-query-order-key-case',
      'GET',
      'Param1=value1&Param2=value2',
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
  ])("is the one of AWS's test suite: %s", (_name, method, query, signature) => {
    const headers = [
      ['host', 'example.amazonaws.com'],
      ['x-amz-date', SUITE.time],
    ] as const;
    const form = { method, path: '/', query, headers, bodyHash: sha256('') };
    expect(createSigner(SUITE.region, 'service').sign(form, SUITE.secret, SUITE.time)).toBe(signature);
  });

  it("is the AWS SDK's, whatever the body, key, token and day", async () => {
    const signers = new Map<string, ReturnType<typeof createSigner>>();
    const printable = fc
      .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 60 })
      .filter((text) => text.trim() === text && !/\s\s/.test(text));
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          secretAccessKey: fc.string({ minLength: 1 }),
          sessionToken: fc.option(printable, { nil: undefined }),
          region: fc.constantFrom('eu-central-1', 'us-east-1', 'cn-north-1'),
          body: fc.string({ unit: 'grapheme' }),
          time: fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
        }),
        async ({ secretAccessKey, sessionToken, region, body, time }) => {
          const host = `dynamodb.${region}.amazonaws.com`;
          const expected = await new SignatureV4({
            credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey, ...(sessionToken && { sessionToken }) },
            region,
            service: 'dynamodb',
            sha256: Hash,
            applyChecksum: false,
          }).sign(
            {
              method: 'POST',
              protocol: 'https:',
              hostname: host,
              path: '/',
              headers: {
                host,
                'content-type': 'application/x-amz-json-1.0',
                'x-amz-target': 'DynamoDB_20120810.GetItem',
              },
              body,
            },
            { signingDate: time },
          );
          // Signers are kept, as in the backend, so that a cached key for another secret or day would be noticed.
          const signer = signers.get(region) ?? createSigner(region, 'dynamodb');
          signers.set(region, signer);
          const at = signingTime(time.getTime());
          const form: SignedForm = {
            method: 'POST',
            path: '/',
            query: '',
            headers: [
              ['content-type', 'application/x-amz-json-1.0'],
              ['host', host],
              ['x-amz-date', at],
              ...(sessionToken ? [['x-amz-security-token', sessionToken] as const] : []),
              ['x-amz-target', 'DynamoDB_20120810.GetItem'],
            ],
            bodyHash: sha256(body),
          };
          expect(expected.headers['authorization']).toBe(
            `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${signer.scope(at)}, ` +
              `SignedHeaders=${signedHeaders(form)}, Signature=${signer.sign(form, secretAccessKey, at)}`,
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});
