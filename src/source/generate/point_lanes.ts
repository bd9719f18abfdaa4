import { counted } from "../../console/plural.ts";
import type { Measurement } from "../../aggregate/measurement.ts";
import type { RequestProducer } from "../../otlp/producer.ts";
import type { System } from "../../platform/system.ts";
import type { Records } from "../source.ts";
import type { SyntheticConfig } from "./generated_config.ts";
import type { LoadConfig, PointRate } from "./load_config.ts";
import { noSeriesText } from "./open_generated.ts";
import { seededRandom } from "./random.ts";
import { seriesIn, type Share } from "./share.ts";
import { seriesAttributes } from "./synthetic.ts";

/** Series of one connection, and the requests that are made of them. */
export interface PointLane {
  /** Part of all series that it has. */
  readonly share: Share;
  readonly requests: RequestProducer;
  /** Records one measurement in each of its next series. */
  fill(points: number): void;
}

/** Point load of this process. */
export interface PointLoad extends PointRate {
  readonly lanes: readonly PointLane[];
  /** Number of series of all processes. */
  readonly series: number;
  readonly pointsPerRequest: number;
}

/** Requests per second that a process's part of the highest rate is divided into, as far as they are not too large. */
const REQUESTS_PER_SECOND = 50;
const MOST_POINTS_PER_REQUEST = 1000;

/** Opens a lane per worker that has series. `newRequests`: a recorder of its own for each. */
export function openPointLoad(
  { series = 1, draw, seed }: SyntheticConfig,
  rate: PointRate,
  { workers, share }: LoadConfig,
  newRequests: () => { readonly records: Records; readonly requests: RequestProducer },
  { random }: Pick<System, "random">,
  warn: (message: string) => void,
): PointLoad {
  const lanes = Array.from({ length: workers }, (_, worker) => ({
    index: share.index + share.of * worker,
    of: share.of * workers,
  })).filter((lane) => seriesIn(lane, series) > 0).map((lane): PointLane => {
    const { records, requests } = newRequests();
    const attributes = seriesAttributes(series, lane);
    // A seed belongs to a series: however many processes and connections share them, its values are the same.
    const randoms = seed === undefined
      ? undefined
      : attributes.map((_, i) => seededRandom(`${seed} ${lane.index + i * lane.of}`));
    const batch: { value: number; attributes: Measurement["attributes"] }[] = [];
    let next = 0;
    return {
      share: lane,
      requests,
      fill(points) {
        for (let i = 0; i < points; i++) {
          const own = attributes[next] ?? {};
          const value = draw(randoms?.[next] ?? random);
          const drawn = batch[i];
          if (drawn === undefined) batch.push({ value, attributes: own });
          else {
            drawn.value = value;
            drawn.attributes = own;
          }
          next = next + 1 < attributes.length ? next + 1 : 0;
        }
        records.add(batch.length === points ? batch : batch.slice(0, points));
      },
    };
  });
  if (lanes.length === 0) warn(noSeriesText(share, series));
  const most = seriesIn({ index: share.index, of: share.of * workers }, series);
  const asked = rate.pointsPerRequest;
  if (asked !== undefined && asked > most && most > 0) {
    warn(
      `--points-per-request ${asked} is more than a connection has series: its requests have ${
        counted(most, "data point")
      }; give more --series, or fewer --workers and --shards`,
    );
  }
  const chosen = Math.min(
    Math.ceil(rate.to / share.of / REQUESTS_PER_SECOND),
    MOST_POINTS_PER_REQUEST,
  );
  return { ...rate, lanes, series, pointsPerRequest: Math.min(asked ?? chosen, most) };
}
