// Practise: entered with an empty basket.

import { t } from "../words.js";
import { train } from "../training.js";

export const act = {
  id: "training",
  icon: "help",
  right: "train",
  offline: true,
  reader: false,
  blocked: ({ screen, lines }) =>
    screen.training ? t("training.already") : lines.length > 0 ? t("training.basket") : null,
  open: () => train(true),
  training: true,
};
