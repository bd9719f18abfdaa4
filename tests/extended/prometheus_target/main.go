// Serves two histograms of client_golang at a free port, which it prints. Each line that it reads is a value to observe,
// and is answered with a line.
package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	registry := prometheus.NewRegistry()
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "job_duration_seconds",
		Help:    `How long a "job" took.`,
		Buckets: []float64{0.1, 1, 10},
	}, []string{"queue"})
	registry.MustRegister(took)
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "workers"}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	go http.Serve(listener, handler)
	fmt.Printf("http://%s/metrics\n", listener.Addr())
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		queue, text, _ := strings.Cut(lines.Text(), " ")
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic(err)
		}
		took.WithLabelValues(queue).Observe(value)
		fmt.Println("observed")
	}
}
