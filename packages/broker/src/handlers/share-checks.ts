import type { MetadataStore } from '../metadata/image.ts';

/** Length of a uuid in its canonical spelling, the longest member id that Kafka takes. */
const MAX_MEMBER_ID_LENGTH = 36;

/** Whether the cluster has the feature `share.version`; without it Kafka answers UNSUPPORTED_VERSION. */
export function isShareEnabled(metadata: MetadataStore): boolean {
  return (metadata.current().features.get('share.version') ?? 0) >= 1;
}

/** Whether a share consumer's member id has a form that Kafka takes. */
export function isShareMemberId(memberId: string | null): memberId is string {
  return memberId !== null && memberId !== '' && memberId.length <= MAX_MEMBER_ID_LENGTH;
}
