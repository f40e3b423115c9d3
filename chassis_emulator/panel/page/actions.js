// What can be ordered for a blade as it is now; menu and detail show the same.

export function actionsOf(slot) {
  const blade = slot.name;
  if (!slot.present) return [{ label: "Insert", icon: "insert", order: { act: "insert", blade } }];
  const identifying = Boolean(slot.lights.identify?.on_ms);
  return [
    { label: "Pull", icon: "pull", order: { act: "pull", blade, surprise: false }, hint: "opens the handle; leaves when it is drained" },
    { label: "Pull by surprise", icon: "snatch", order: { act: "pull", blade, surprise: true }, grave: true, hint: "at once, as a hand would" },
    ...(slot.handle === "open" ? [{ label: "Close the handle", icon: "insert", order: { act: "insert", blade } }] : []),
    identifying
      ? { label: "End identify", icon: "identify", order: { act: "identify", blade, seconds: 0 } }
      : { label: "Identify", icon: "identify", order: { act: "identify", blade, seconds: 30 }, hint: "blinks for 30 s" },
    ...(slot.powered
      ? [
          { label: "Power off", icon: "on", order: { act: "power", blade, order: "off" }, grave: true },
          { label: "Power cycle", icon: "on", order: { act: "power", blade, order: "cycle" }, grave: true },
          { label: "Reset", icon: "reset", order: { act: "reset", blade }, grave: true },
        ]
      : [{ label: "Power on", icon: "on", order: { act: "power", blade, order: "on" } }]),
  ];
}

// How an order reads in a question and in a notice.
export function orderWords(order, kinds) {
  switch (order.act) {
    case "pull":
      return `Pull ${order.blade}${order.surprise ? " by surprise" : ""}`;
    case "insert":
      return `Insert ${order.blade}`;
    case "power":
      return order.order === "cycle" ? `Power cycle ${order.blade}` : `Switch ${order.blade} ${order.order}`;
    case "reset":
      return `Reset ${order.blade}`;
    case "identify":
      return order.seconds ? `Identify ${order.blade}` : `End identify of ${order.blade}`;
    case "inject":
      return `${kinds.find((kind) => kind.kind === order.kind)?.text ?? order.kind} at ${order.target}`;
    default:
      return order.faults.length === 1 ? "Clear a fault" : `Clear ${order.faults.length} faults`;
  }
}
