package main

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fragplan/fragplan/ledger"
)

// phases are those that orders are counted by: all, so that a gauge that falls
// to zero is still there.
var phases = []ledger.Phase{
	ledger.Reserved, ledger.Quoted, ledger.Offered, ledger.Armed, ledger.Sent,
	ledger.Paid, ledger.Acknowledged, ledger.Delivered, ledger.Held, ledger.Released,
}

// measure writes what became of an apply for Prometheus, in the text format
// that node_exporter's textfile collector reads. The file is there whole or not
// at all; docs/notices.md names what is in it.
func (p *project) measure(file string, began time.Time, err error) error {
	r := prometheus.NewRegistry()
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "fragplan", Name: name, Help: help}, labels)
		r.MustRegister(g)
		return g
	}
	now := time.Now()
	gauge("build_info", "The version that wrote this file.", "version").WithLabelValues(version()).Set(1)
	gauge("run_timestamp_seconds", "When the run ended.").WithLabelValues().Set(float64(now.Unix()))
	gauge("run_duration_seconds", "How long the run took.").WithLabelValues().Set(now.Sub(began).Seconds())
	good := 0.0
	if err == nil {
		good = 1
	}
	gauge("run_success", "1 if the run came to its end and nobody must look at anything.").WithLabelValues().Set(good)
	gauge("run_bought_orders", "Orders that the run found paid.").WithLabelValues().Set(float64(len(p.applied.result.Bought)))
	gauge("run_failed_orders", "Orders that the run did not buy, and somebody must look.").WithLabelValues().Set(float64(p.failed()))
	if p.book != nil {
		p.gaugeBook(gauge)
	}
	if err := prometheus.WriteToTextfile(file, r); err != nil {
		return fmt.Errorf("-metrics-file: %w", err)
	}
	return nil
}

// gaugeBook adds what the ledger says.
func (p *project) gaugeBook(gauge func(name, help string, labels ...string) *prometheus.GaugeVec) {
	orders, paid := map[ledger.Phase]int{}, map[string]int64{}
	newest := uint32(0)
	for id := ledger.OrderID(1); id <= p.book.LastOrder; id++ {
		o := p.book.Orders[id]
		if o == nil {
			continue
		}
		orders[o.Phase]++
		if o.Phase.Spent() {
			paid[string(o.Reserve.Asset)] += o.Reserve.Units
			newest = max(newest, o.Time)
		}
	}
	byPhase := gauge("orders", "Orders of the ledger, by how far they have come.", "phase")
	for _, phase := range phases {
		byPhase.WithLabelValues(string(phase)).Set(float64(orders[phase]))
	}
	spent := gauge("paid_units", "What was paid since the ledger began, in the smallest unit: nanoTON, or millionths of a USDT.", "asset")
	for asset, units := range paid {
		spent.WithLabelValues(asset).Set(float64(units))
	}
	gauge("open_payments", "Payments that are signed or to be signed, and not settled.").WithLabelValues().Set(float64(len(p.book.Open())))
	if well := p.book.Well.Time; well > 0 {
		gauge("good_run_timestamp_seconds", "When the newest run ended of which nobody had to look at anything.").WithLabelValues().Set(float64(well))
	}
	if newest > 0 {
		gauge("newest_payment_timestamp_seconds", "The time of the newest payment's block.").WithLabelValues().Set(float64(newest))
	}
}

// failed counts what the run did not buy and somebody must look at.
func (p *project) failed() (n int) {
	for _, problem := range p.applied.result.Problems {
		if problem.Failure() {
			n++
		}
	}
	if p.applied.plan != nil {
		for _, a := range p.applied.plan.Actions {
			if a.Failure() {
				n++
			}
		}
	}
	return n
}
