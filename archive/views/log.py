"""The auditor's page: list, filter, export."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
