/** The different ones of a list, and how answers to them become answers to the list. */
export interface WithoutRepeats<Item> {
  /** Each once, in the order of first mention. */
  readonly distinct: readonly Item[];
  /** The answers to the whole list, given those to `distinct`: what is there again is the same object again. */
  spread<Answer>(answers: readonly Answer[]): Answer[];
}

/**
 * What a request names, without repeats. A name costs a few bytes and its answer may be a megabyte; named a hundred thousand
 * times it is looked up once, and the memory is that of one answer. (Kafka answers each anew.)
 */
export function withoutRepeats<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => unknown = (item) => item,
): WithoutRepeats<Item> {
  const places = new Map<unknown, number>();
  const distinct: Item[] = [];
  const placeOf = items.map((item) => {
    const key = keyOf(item);
    let place = places.get(key);
    if (place === undefined) {
      place = distinct.push(item) - 1;
      places.set(key, place);
    }
    return place;
  });
  return { distinct, spread: (answers) => placeOf.map((place) => answers[place]!) };
}
