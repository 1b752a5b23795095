"""Dossiers: open, file into, close with contents list."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
