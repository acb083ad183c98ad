/** Usage plans and a throttle that admit any burst, so that only the record refuses. */
const open = { rate: 10_000, burst: 5000, guessableRate: 10_000, guessableBurst: 5000 };
export const unthrottled = {
  plans: { standard: open, limited: open },
  throttle: { rate: 10_000, burst: 5000 },
};
