import { ErrorCodes } from '@ottla/protocol';
import type { CallLimits } from '../cluster/limits.ts';
import { brokerError, throwIfError, errorOf } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { VersionRange } from '../network/handshake.ts';
import type { AdminRequests } from './admin-requests.ts';
import type { PerItem } from './per-item.ts';

/** A feature of the cluster: the level in force, and those that could be. */
export interface FeatureStatus {
  /** The level in force for the whole cluster; 0 when the feature is off. */
  readonly finalizedLevel: number;
  /** Levels that the asked broker could have; undefined when it does not know the feature. */
  readonly supported: VersionRange | undefined;
}

/** The level that a feature shall have; 0 switches it off. */
export interface FeatureUpdate {
  readonly level: number;
  /** What is allowed when the level is lower than the one in force. Default: upgrade. */
  readonly type?: 'upgrade' | 'safe-downgrade' | 'unsafe-downgrade';
}

const UPGRADE_TYPES = { upgrade: 1, 'safe-downgrade': 2, 'unsafe-downgrade': 3 } as const;

/** Feature levels of the cluster (KIP-584). */
export class FeaturesAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** Every feature that a broker knows or that is in force, by name. */
  describe(options: CallLimits = {}): Promise<Map<string, FeatureStatus>> {
    const body = { clientSoftwareName: 'ottla', clientSoftwareVersion: '0.1.0' };
    // Version 5 names a node, which is not known here.
    const request = { api: apis.apiVersions, body, minVersion: 3, maxVersion: 4 };
    return this.#requests.ask('any', request, options, (answer) => {
      throwIfError(answer.errorCode);
      const features = new Map<string, FeatureStatus>();
      for (const { name, minVersion, maxVersion } of answer.supportedFeatures)
        features.set(name, { finalizedLevel: 0, supported: { min: minVersion, max: maxVersion } });
      for (const { name, maxVersionLevel } of answer.finalizedFeatures)
        features.set(name, { finalizedLevel: maxVersionLevel, supported: features.get(name)?.supported });
      return features;
    });
  }

  /** Changes levels, each with an outcome of its own. Since Kafka 4.1 all of them change or none. */
  update(
    updates: Readonly<Record<string, FeatureUpdate>>,
    options: CallLimits & { readonly validateOnly?: boolean } = {},
  ): Promise<PerItem<undefined>> {
    const names = Object.keys(updates);
    return this.#requests.toController('Changing features', names, options, async (pending, attempt) => {
      const body = (version: number) => ({
        timeoutMs: attempt.remainingMs,
        featureUpdates: pending.map((feature) => {
          const { level, type = 'upgrade' } = updates[feature]!;
          return {
            feature,
            maxVersionLevel: level,
            ...(version >= 1 ? { upgradeType: UPGRADE_TYPES[type] } : { allowDowngrade: type !== 'upgrade' }),
          };
        }),
        ...(options.validateOnly === true && { validateOnly: true }),
      });
      const answer = await this.#requests.send('controller', { api: apis.updateFeatures, body }, attempt);
      // Version 2 has one error for all of them.
      const whole = errorOf(answer.errorCode, answer.errorMessage);
      const own = new Map(answer.results.map((result) => [result.feature, result]));
      return pending.map((feature) => {
        const { errorCode, errorMessage } = own.get(feature) ?? { errorCode: 0, errorMessage: null };
        const error =
          errorCode === ErrorCodes.NONE
            ? whole
            : brokerError(errorCode, errorMessage, `feature "${feature}"`);
        return [feature, error] as const;
      });
    });
  }
}
