"""Events that coding agents log through OpenTelemetry: one module a program."""
