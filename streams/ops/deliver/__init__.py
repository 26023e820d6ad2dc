"""Delivers findings to those who do not read Kafka: webhook endpoints, and files for forwarders of logs."""
