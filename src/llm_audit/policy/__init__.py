"""Policies: what one says, the routes it gives a ledger's requests, and what these would have cost.

``load`` reads a policy, ``read_traffic`` a ledger, and ``plan`` applies one to the other: a ``Plan`` answers what an
audit asks. Other packages import from here alone.
"""

from llm_audit.policy.applied import Plan, plan
from llm_audit.policy.counterfactual.costs import NEVER as NO_PRICE
from llm_audit.policy.counterfactual.costs import UNKNOWN as NO_RATE
from llm_audit.policy.counterfactual.costs import cost as token_cost
from llm_audit.policy.counterfactual.escalation import break_even_escalation, escalation_rate, missed
from llm_audit.policy.counterfactual.estimates import Costs
from llm_audit.policy.counterfactual.lengths import CEILING, Scenario
from llm_audit.policy.counterfactual.traffic import Columns, Traffic, read_traffic, traffic_of
from llm_audit.policy.counterfactual.whole import Whole
from llm_audit.policy.file.export import Target, cautions, export
from llm_audit.policy.file.load import PRESETS, load, parse
from llm_audit.policy.file.model import ANSWERS, RANGES, Decision, Gate, Policy, Range, Scope
from llm_audit.policy.frames import RoutedCosts, as_text, route, routed_costs, with_models
from llm_audit.policy.inputs.choice import OUTCOMES
from llm_audit.policy.inputs.models import CATEGORIES, SKILLS, Models, models_of, read_models
from llm_audit.policy.inputs.requests import ROUTING_COLUMNS, TRACE_COLUMNS, Requests
from llm_audit.policy.inputs.trace_graph import ROOT, Graph
from llm_audit.policy.routed_request import CandidateFigures, LengthRatios, RoutedRequest
from llm_audit.policy.routing.gates import REASONS as GATE_REASONS
from llm_audit.policy.routing.ladders import candidates_of, dominators, undominated
from llm_audit.policy.routing.plan import FirstRoutes
from llm_audit.policy.routing.preference import mean_gap
from llm_audit.policy.routing.whole_routes import (
    PartRoutes,
    limited_routes,
    merge_routes,
    part_routes,
    part_scores,
    whole_routes,
)

__all__ = [
    "ANSWERS",
    "CATEGORIES",
    "CEILING",
    "GATE_REASONS",
    "NO_PRICE",
    "NO_RATE",
    "OUTCOMES",
    "PRESETS",
    "RANGES",
    "ROOT",
    "ROUTING_COLUMNS",
    "SKILLS",
    "TRACE_COLUMNS",
    "CandidateFigures",
    "Columns",
    "Costs",
    "Decision",
    "FirstRoutes",
    "Gate",
    "Graph",
    "LengthRatios",
    "Models",
    "PartRoutes",
    "Plan",
    "Policy",
    "Range",
    "Requests",
    "RoutedCosts",
    "RoutedRequest",
    "Scenario",
    "Scope",
    "Target",
    "Traffic",
    "Whole",
    "as_text",
    "break_even_escalation",
    "candidates_of",
    "cautions",
    "dominators",
    "escalation_rate",
    "export",
    "limited_routes",
    "load",
    "mean_gap",
    "merge_routes",
    "missed",
    "models_of",
    "parse",
    "part_routes",
    "part_scores",
    "plan",
    "read_models",
    "read_traffic",
    "route",
    "routed_costs",
    "token_cost",
    "traffic_of",
    "undominated",
    "whole_routes",
    "with_models",
]
