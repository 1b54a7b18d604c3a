/** Seed of the randomised tests: fixed, unless the environment asks for another; named in every failure. */
export const seed = Number(process.env['OTTLA_SEED'] ?? 20_261_124);

/** How many times as many cases as usual, for long runs. */
export const effort = Number(process.env['OTTLA_EFFORT'] ?? 1);
