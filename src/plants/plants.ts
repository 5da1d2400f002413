import type { Uid } from '../platform/ids.ts';
import type { PlantFeature, UsageLimits } from '../platform/plant-providers/plants-config.ts';
import type { ProviderName } from '../platform/plant-providers/provider-errors.ts';
import type { Services } from '../platform/services.ts';
import type { Deadline } from './deadline.ts';
import { type DoctorRequest, diagnosePlant } from './doctor/ai-doctor.ts';
import { askAgain, type FollowUp } from './doctor/follow-up.ts';
import { type PhotoFields, type PhotoRequest, takePhoto } from './photo/photo-request.ts';
import { createImageUploads, type UploadRequest } from './photo/uploads.ts';
import { identifyPlant } from './plant-id/plant-id.ts';
import { type PlantsNeeds, plantsNeeds } from './plants-needs.ts';
import { readUsage } from './usage/quota.ts';

/** The whole domain behind one import, loaded with the first photo. */
export function createPlants(services: Services, isAccountDeleted: PlantsNeeds['isAccountDeleted']) {
  const needs = plantsNeeds(services, isAccountDeleted);
  const uploads = createImageUploads(services);
  const { heicWorker } = services;
  return {
    takePhoto: (files: Parameters<typeof takePhoto>[1], fields: PhotoFields, caller: Parameters<typeof takePhoto>[3]) =>
      takePhoto({ uploads, heicWorker }, files, fields, caller),
    identify: (request: PhotoRequest, limits: UsageLimits, deadline: Deadline) =>
      identifyPlant(needs, request, limits, deadline),
    diagnose: (request: DoctorRequest, limits: UsageLimits, deadline: Deadline) =>
      diagnosePlant(needs, request, limits, deadline),
    askAgain: (followUp: FollowUp, limits: UsageLimits, deadline: Deadline) =>
      askAgain(needs, followUp, limits, deadline),
    prepareUpload: (uid: Uid, request: UploadRequest) => uploads.prepare(uid, request),
    readUsage: (uid: Uid, feature: PlantFeature, limits: UsageLimits) =>
      readUsage(needs.usage, uid, feature, limits, needs.now()),
    providerHealth: (provider: ProviderName) => needs.health.report(provider),
  };
}

export type Plants = ReturnType<typeof createPlants>;
/** Returns the domain's operations; loads them on the first call. */
export type LoadPlants = () => Promise<Plants>;
