import { emptyGroup, type ClassicGroup } from './classic/classic-group.ts';
import { ClassicGroups } from './classic/classic-groups.ts';
import { classicView } from './classic/classic-view.ts';
import { ConsumerGroups } from './consumer/consumer-groups.ts';
import { consumerView } from './consumer/consumer-view.ts';
import type { GroupKind, GroupView } from './group-view.ts';
import { OffsetStore } from './offsets/offset-store.ts';
import { ShareGroups } from './share/share-groups.ts';
import { shareView } from './share/share-view.ts';
import { StreamsGroups } from './streams/streams-groups.ts';
import { streamsView } from './streams/streams-view.ts';

/**
 * The state of one shard: the groups of each kind, and the offsets of them all. A group id belongs to one kind at a time;
 * one that has offsets and is of no other kind is a classic group, as a standalone consumer makes it.
 */
export class GroupState {
  readonly offsets = new OffsetStore();
  readonly classic = new ClassicGroups();
  readonly consumer = new ConsumerGroups();
  readonly share = new ShareGroups();
  readonly streams = new StreamsGroups();

  /** The kind of a group; undefined when there is none ("Dead", as Kafka calls it). */
  kindOf(groupId: string): GroupKind | undefined {
    if (this.consumer.has(groupId)) return 'consumer';
    if (this.share.has(groupId)) return 'share';
    if (this.streams.has(groupId)) return 'streams';
    return this.classic.has(groupId) || this.offsets.has(groupId) ? 'classic' : undefined;
  }

  /** The classic group of this id; undefined when there is none, or one of another kind. */
  classicGroup(groupId: string): ClassicGroup | undefined {
    if (this.kindOf(groupId) !== 'classic') return undefined;
    return this.classic.get(groupId) ?? emptyGroup(groupId, -1);
  }

  /** A group of whatever kind, for the APIs that concern them all. */
  view(groupId: string): GroupView | undefined {
    const consumer = this.consumer.get(groupId);
    if (consumer !== undefined) return consumerView(consumer);
    const share = this.share.get(groupId);
    if (share !== undefined) return shareView(share);
    const streams = this.streams.get(groupId);
    if (streams !== undefined) return streamsView(streams);
    const group = this.classicGroup(groupId);
    return group === undefined ? undefined : classicView(group);
  }

  groupIds(): Set<string> {
    const ids = this.offsets.groupIds();
    this.classic.collectIds(ids);
    this.consumer.collectIds(ids);
    this.share.collectIds(ids);
    this.streams.collectIds(ids);
    return ids;
  }
}
