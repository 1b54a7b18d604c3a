/** Group ids in the order in which the newer describing APIs answer: those that are refused for being empty come first, as in Kafka. */
export function emptyFirst(groupIds: readonly string[]): string[] {
  return groupIds.toSorted((left, right) => Number(right === '') - Number(left === ''));
}
