/** Usage plans that let any burst through, so that what refuses it is the record. The stage lets through what they do. */
const open = { rate: 10_000, burst: 5000, guessableRate: 10_000, guessableBurst: 5000 };
export const unthrottled = { plans: { standard: open, limited: open } };
