// Command clients runs one scenario of a Go client against a broker and ends with one JSON line.
// Arguments: client (franz, franz-transactions or sarama), bootstrap address, topic, codec.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

const (
	recordCount = 500
	timeLimit   = 25 * time.Second
)

// result is what the test compares.
type result struct {
	Sent      int   `json:"sent"`
	Read      int   `json:"read"`
	Committed int64 `json:"committed"`
	Group     bool  `json:"group"`
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: clients franz|franz-transactions|sarama BOOTSTRAP TOPIC CODEC")
		os.Exit(2)
	}
	scenario := franz
	if os.Args[1] == "franz-transactions" {
		scenario = franzTransactions
	}
	if os.Args[1] == "sarama" {
		scenario = saramaScenario
	}
	outcome, err := scenario(os.Args[2], os.Args[3], os.Args[4])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	line, _ := json.Marshal(outcome)
	fmt.Println(string(line))
}
