import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from '../../../src/platform/config.ts';

const GOOD = {
  APP_ENV: 'prod',
  AWS_REGION: 'eu-central-1',
  ARTIFACT_BUCKET: 'autowatering-artifacts-prod',
  COGNITO_USER_POOL_ID: 'eu-central-1_AbC123',
  COGNITO_CLIENT_IDS: 'one, two',
};

describe('the configuration', () => {
  it('derives table and secret names from the environment, and defaults to the strict settings', () => {
    const config = parseConfig(GOOD);
    expect(config.tables.otaReleases).toBe('autowatering-ota-releases-prod');
    expect(config.secretId).toBe('autowatering-backend-prod/secrets');
    expect(config.cognito.clientIds).toEqual(['one', 'two']);
    expect(config.claimProof).toBe('required');
    expect(config.allowedOrigins).toEqual([]);
    expect(config.otaFallback).toBeUndefined();
  });

  it('lists all errors at once', () => {
    const broken = {
      ...GOOD,
      APP_ENV: 'Prod!',
      COGNITO_USER_POOL_ID: 'nonsense',
      CLAIM_PROOF: 'maybe',
      ARTIFACT_BUCKET: undefined,
    };
    let message = '';
    try {
      parseConfig(broken);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      message = String(error);
    }
    for (const name of ['APP_ENV', 'COGNITO_USER_POOL_ID', 'CLAIM_PROOF', 'ARTIFACT_BUCKET'])
      expect(message).toContain(name);
  });

  it('needs a fallback release to be complete or absent', () => {
    const fallback = {
      OTA_LATEST_VERSION: '1.0.0',
      OTA_LATEST_STORAGE_KEY: 'k',
      OTA_LATEST_SIZE_BYTES: '99',
      OTA_LATEST_SHA256: 'a'.repeat(64),
    };
    expect(parseConfig({ ...GOOD, ...fallback, OTA_LATEST_MANDATORY: 'true' }).otaFallback).toMatchObject({
      version: '1.0.0',
      sizeBytes: 99,
      mandatory: true,
      board: 'arduino_nano_33_ble',
    });
    expect(() => parseConfig({ ...GOOD, OTA_LATEST_VERSION: '1.0.0' })).toThrow(/go together/);
  });
});
