// From series and a window to ECharts' option. Pure: what is drawn depends on the arguments alone.

import { fromZero, niceScale, tickLabel, timeTicks } from "./chart-axis.js";
import { gaps, rows, statistics } from "./chart-points.js";
import { span as duration } from "./ages.js";
import { say } from "./device-words.js";
import { number, withUnit } from "./device-format.js";

const NAMED_GAP = 0.01; // of the width; shorter ones break the line and are not named
const TOP = 34, BOTTOM = 24;
const FLAG = 90; // px that an event's name needs

/** The units of the shown series: the first has the left axis, the second the right one. */
export function units(series) {
  return [...new Set(series.filter((line) => !line.hidden).map((line) => line.unit ?? ""))].slice(0, 2);
}

function scaleOf(series, unit) {
  const shown = series.filter((line) => !line.hidden && (line.unit ?? "") === unit);
  const all = shown.map((line) => statistics(line.points)).filter(Boolean);
  const low = Math.min(...all.map((found) => found.low)), high = Math.max(...all.map((found) => found.high));
  return niceScale(low, high, fromZero(unit, low));
}

/** The figures of the axes and the room they need: `{scales: [...], left, right, top, bottom}`. */
export function frame(series) {
  const scales = units(series).map((unit) => ({ unit, ...scaleOf(series, unit) }));
  const room = (scale) => (scale ? 18 + 7 * Math.max(...[scale.min, scale.max].map((value) => number(value, scale.digits).length)) : 14);
  return { scales, left: Math.max(38, room(scales[0])), right: scales[1] ? room(scales[1]) : 14, top: TOP, bottom: BOTTOM };
}

function yAxis(scale, index, look) {
  return {
    type: "value", min: scale.min, max: scale.max, interval: scale.interval, position: index ? "right" : "left",
    name: scale.unit, nameLocation: "end", nameGap: 10,
    nameTextStyle: { color: look.axis, fontFamily: look.font, fontSize: look.size, align: index ? "left" : "right", padding: index ? [0, 0, 0, 8] : [0, 8, 0, 0] },
    axisLine: { show: false }, axisTick: { show: false },
    splitLine: { show: index === 0, lineStyle: { color: look.grid } },
    axisLabel: { color: look.axis, fontFamily: look.font, fontSize: look.size, formatter: (value) => number(value, scale.digits) },
  };
}

function xAxis([start, end], width, look) {
  const { ticks, step } = timeTicks(start, end, Math.max(2, Math.floor(width / 90)));
  return {
    type: "time", min: start, max: end,
    axisLine: { onZero: false, lineStyle: { color: look.base } }, axisTick: { show: false }, splitLine: { show: false },
    axisLabel: { customValues: ticks, color: look.axis, fontFamily: look.font, fontSize: look.size, hideOverlap: true, showMinLabel: true, showMaxLabel: true, formatter: (value) => tickLabel(value, step) },
  };
}

/** Gaps as hatched areas; the wide ones with their length in words. */
function gapAreas(line, [start, end], look) {
  const wide = (from, to) => to - from > (end - start) * NAMED_GAP;
  const data = gaps(line.points, line, start, end).filter(([from, to]) => wide(from, to)).map(([from, to]) => [
    { xAxis: from, name: to - from > (end - start) * 0.08 ? say("no_data_for", { time: duration((to - from) / 1000) }) : "" },
    { xAxis: to },
  ]);
  return {
    silent: true, animation: false, data, itemStyle: { color: look.hatch },
    label: { position: "top", distance: 4, color: look.muted, fontFamily: look.font, fontSize: look.size },
  };
}

/** The limits of the thing model, where they are near enough to the values to say something. */
function limitLines(line, scale, look) {
  const near = (value) => value !== null && value !== undefined && value >= scale.min && value <= scale.max;
  return [["min", line.min], ["max", line.max]].filter(([, value]) => near(value)).map(([name, value]) => ({
    yAxis: value, lineStyle: { color: look.limit, type: "dashed", width: 1 },
    label: { formatter: say(`limit_${name}`, { value: withUnit(number(value, line.precision), line.unit) }), position: "insideStartTop", color: look.limit, fontFamily: look.font, fontSize: look.size },
  }));
}

/** Events as dotted lines; their names where there is room for them. */
function flags(events, { span: [start, end], width }, look) {
  const room = width - 60, x = (at) => ((at - start) / (end - start)) * room;
  const sorted = [...events].sort((a, b) => a.at - b.at);
  return sorted.map(({ at, name }, i) => {
    const free = width > 480 && x(at) - (i ? x(sorted[i - 1].at) : -FLAG) >= FLAG;
    const align = x(at) > room - FLAG / 2 ? "right" : x(at) < FLAG / 2 ? "left" : "center";
    const label = { show: free, formatter: name.length > 14 ? `${name.slice(0, 13)}\u2026` : name, align, position: "end", distance: 4, color: look.muted, fontFamily: look.font, fontSize: look.size };
    return { xAxis: at, lineStyle: { color: look.muted, type: "dotted", width: 1 }, label };
  });
}

function band(line, axis, colour, data) {
  const plain = { type: "line", xAxisIndex: 0, yAxisIndex: axis, symbol: "none", silent: true, lineStyle: { opacity: 0 }, connectNulls: false, stack: `band-${line.id}`, stackStrategy: "all", z: 1 };
  return [
    { ...plain, data: data.map(([at, , low]) => [at, low]) },
    { ...plain, areaStyle: { color: colour, opacity: 0.16 }, data: data.map(([at, , low, high]) => [at, high === null ? null : high - low]) },
  ];
}

function line(one, index, axis, colour, view, look) {
  const { rows: data, alone } = rows(one.points, one);
  const marks = [...(view.first === one ? flags(view.events, view, look) : []), ...(view.first === one ? limitLines(one, view.scales[axis], look) : [])];
  const drawn = {
    type: "line", id: one.id, yAxisIndex: axis, data: data.map(([at, average]) => [at, average]), connectNulls: false, step: one.step ? "end" : false,
    showSymbol: true, showAllSymbol: true, symbol: "circle", symbolSize: (_, { dataIndex }) => (alone.has(dataIndex) ? 4 : 0),
    lineStyle: { color: colour, width: 1.6, type: index >= 4 ? "dashed" : "solid", join: "round", cap: "round" }, itemStyle: { color: colour }, z: 3, silent: true,
    markLine: { silent: true, symbol: "none", animation: false, data: marks },
    markArea: view.first === one ? gapAreas(one, view.span, look) : undefined,
  };
  return one.bucket ? [...band(one, axis, colour, data), drawn] : [drawn];
}

/** The whole option. `view`: `{span, width, events}`; hidden series keep their colour. */
export function option(series, view, look) {
  const room = frame(series);
  const shown = series.filter((one) => !one.hidden);
  const where = { ...view, scales: room.scales, first: shown[0] };
  return {
    animation: false, tooltip: { show: false }, legend: { show: false }, textStyle: { fontFamily: look.font },
    grid: { left: room.left, right: room.right, top: room.top, bottom: room.bottom },
    xAxis: xAxis(view.span, view.width - room.left - room.right, look),
    yAxis: room.scales.map((scale, index) => yAxis(scale, index, look)),
    series: shown.flatMap((one) => {
      const axis = Math.max(0, room.scales.findIndex((scale) => scale.unit === (one.unit ?? "")));
      const place = series.indexOf(one);
      return line(one, place, axis, look.series[place % look.series.length], where, look);
    }),
  };
}
