import {
  ApiKeys,
  type DescribeLogDirsRequest,
  describeLogDirsRequest,
  type DescribeLogDirsResponse,
  describeLogDirsResponse,
  ErrorCodes,
} from '@ottla/protocol';
import type { Log, LogDirInfo, LogManager } from '@ottla/storage';
import type { ApiHandler } from './handler.ts';

type DirAnswer = DescribeLogDirsResponse['results'][number];
type TopicAnswer = DirAnswer['topics'][number];

/** DescribeLogDirs 1 to 5: which logs lie in which directory, their sizes, and the room left on the volume. */
export function describeLogDirsHandler(deps: {
  readonly logManager: LogManager;
}): ApiHandler<DescribeLogDirsRequest, DescribeLogDirsResponse> {
  return {
    apiKey: ApiKeys.DescribeLogDirs,
    minVersion: 1,
    maxVersion: 5,
    request: describeLogDirsRequest,
    response: describeLogDirsResponse,

    async handle(request) {
      const isAsked = filterOf(request);
      const results = await Promise.all(
        deps.logManager.dirs().map((dir) => describe(deps.logManager, dir, isAsked)),
      );
      return { throttleTimeMs: 0, errorCode: ErrorCodes.NONE, results };
    },

    errorResponse(_request, errorCode) {
      return { throttleTimeMs: 0, errorCode, results: [] };
    },
  };
}

type LogFilter = (log: Log) => boolean;

function filterOf(request: DescribeLogDirsRequest): LogFilter {
  if (request.topics === null) return () => true;
  const asked = new Set<string>();
  for (const { topic, partitions } of request.topics)
    for (const partition of partitions) asked.add(`${topic}-${partition}`);
  return ({ topicPartition }) => asked.has(`${topicPartition.topic}-${topicPartition.partition}`);
}

async function describe(logManager: LogManager, dir: LogDirInfo, isAsked: LogFilter): Promise<DirAnswer> {
  const offline: DirAnswer = {
    errorCode: ErrorCodes.KAFKA_STORAGE_ERROR,
    logDir: dir.path,
    topics: [],
    totalBytes: -1,
    usableBytes: -1,
    isCordoned: false,
  };
  if (!dir.online) return offline;
  try {
    const volume = await logManager.volume(dir.path);
    return { ...offline, errorCode: ErrorCodes.NONE, ...volume, topics: topicsIn(logManager, dir, isAsked) };
  } catch {
    return offline;
  }
}

function topicsIn(logManager: LogManager, dir: LogDirInfo, isAsked: LogFilter): TopicAnswer[] {
  const byName = new Map<string, TopicAnswer>();
  const add = (log: Log, lag: { readonly offsetLag: number; readonly isFutureKey: boolean }): void => {
    if (log.parentDir !== dir.path || !isAsked(log)) return;
    const { topic, partition } = log.topicPartition;
    let answer = byName.get(topic);
    if (answer === undefined) {
      answer = { name: topic, partitions: [] };
      byName.set(topic, answer);
    }
    answer.partitions.push({ partitionIndex: partition, partitionSize: log.sizeInBytes, ...lag });
  };
  // The lag of a log in use is what lies above the high watermark.
  for (const log of logManager.allLogs())
    add(log, { offsetLag: Math.max(0, log.logEndOffset - log.highWatermark), isFutureKey: false });
  // That of a copy, which is to take its place, is what it has not got yet.
  for (const log of logManager.allFutures()) {
    const current = logManager.get(log.topicPartition);
    const offsetLag = current === undefined ? -1 : Math.max(0, current.logEndOffset - log.logEndOffset);
    add(log, { offsetLag, isFutureKey: true });
  }
  return [...byName.values()];
}
